create sequence if not exists djr.unstored_limit as integer minvalue 20 maxvalue 10000 start 1000;

comment on sequence djr.unstored_limit is
  'Events with store => false that may pass in a second while delivery is sweep: its last_value, 1000 at first. The runtimes lower it while commits queue for NOTIFY, and raise it while they do not (djr.pace_unstored).';
