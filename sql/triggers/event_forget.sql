create or replace trigger event_forget
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._forget_activity();

comment on trigger event_forget on djr.event is
  'Deletes the activity of deleted events, and records in the settings up to which transaction events are gone.';

create or replace trigger event_forget_all
after truncate on djr.event
for each statement
execute function djr._forget_activity();

comment on trigger event_forget_all on djr.event is
  'Deletes the activity of all events, and records in the settings that all events are gone.';
