create or replace function djr._authorize_topic_function() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _name text;
  _function regprocedure;
begin
  select settings.authorize_topic into _name from djr.settings;
  if _name is null then
    return null;
  end if;
  _function := to_regprocedure(_name || '(text, text)');
  if _function is null then
    raise exception using
      errcode = 'DJR10',
      message = format('the setting authorize_topic must name a function (text, text) returns boolean, and there is no %s(text, text)', _name),
      hint = 'Make the function again, or name another: select djr.configure(authorize_topic => ''app.may_hear'').';
  end if;
  return _name;
end
$$;

comment on function djr._authorize_topic_function() is
  'The qualified name of the function in the setting authorize_topic; null when the setting is empty. Internal.';
