create or replace trigger event_forget
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._forget_activity();

comment on trigger event_forget on djr.event is
  'The activity of events goes with them, and the settings say up to which transaction events are gone.';

create or replace trigger event_forget_all
after truncate on djr.event
for each statement
execute function djr._forget_activity();

comment on trigger event_forget_all on djr.event is
  'The activity of all events goes with them, and the settings say that all are gone.';
