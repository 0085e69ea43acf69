create or replace trigger event_overtake
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._overtake();

comment on trigger event_overtake on djr.event is
  'A consumer that had not had an event that is deleted is told so.';

create or replace trigger event_overtake_all
before truncate on djr.event
for each statement
execute function djr._overtake_truncated();

comment on trigger event_overtake_all on djr.event is
  'A consumer that had not had all events is told so.';
