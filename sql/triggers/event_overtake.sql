create or replace trigger event_overtake
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._overtake();

comment on trigger event_overtake on djr.event is
  'Marks a consumer as overtaken when an event is deleted that it had yet to get.';

create or replace trigger event_overtake_all
before truncate on djr.event
for each statement
execute function djr._overtake_truncated();

comment on trigger event_overtake_all on djr.event is
  'Marks a consumer as overtaken when the table is truncated before it had all events.';
