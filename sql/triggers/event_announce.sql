create or replace trigger event_announce
after insert on djr.event
referencing new table as _new
for each statement
execute function djr._announce();

comment on trigger event_announce on djr.event is
  'Every insert publishes: the trigger checks the rows of a statement and notifies.';
