-- New functions are executable by PUBLIC. In the transaction that makes them they stop being so.
revoke all on schema djr from public;
revoke all on all tables in schema djr from public;
revoke all on all sequences in schema djr from public;
revoke all on all functions in schema djr from public;
revoke all on type djr.event_type, djr.event_scope, djr.event_user, djr.event_topic, djr.event_key, djr.event_detail from public;
