-- A sequence, because its last_value is not read as of a snapshot: a publisher in a repeatable-read transaction that began an hour ago
-- sees the current mode.
create sequence if not exists djr.delivery_mode as integer minvalue 1 maxvalue 2 start 1;

comment on sequence djr.delivery_mode is
  'How events reach the runtimes now: last_value 1, publishers notify; 2, they do not and the runtimes sweep. Set by djr.set_delivery_mode and djr.configure.';
