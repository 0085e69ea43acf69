-- A sequence, because its value stays when the transaction that set it is rolled back. A page has its seal by then: some libraries roll
-- back whatever only reads.
create sequence if not exists djr.seal_longest as integer minvalue 3600 start 3600;

comment on sequence djr.seal_longest is
  'For how many seconds the longest seal is valid that was ever made: its last_value, null for an hour. Revocations are kept for as long.';
