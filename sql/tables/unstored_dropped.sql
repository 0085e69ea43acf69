create sequence if not exists djr.unstored_dropped;

comment on sequence djr.unstored_dropped is
  'How many events with store => false were dropped, as too many came while delivery was sweep: its last_value, null for none.';
