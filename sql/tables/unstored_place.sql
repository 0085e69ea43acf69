-- One number holds the tenth of a second since 1970, times 2^20, and how many events came in it. nextval counts on without sessions
-- having to wait for each other.
create sequence if not exists djr.unstored_place;

comment on sequence djr.unstored_place is
  'How many events with store => false came in this tenth of a second, while delivery is sweep (djr._passes).';
