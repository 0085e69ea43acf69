-- The schema from nothing, in the order in which objects need one another.
-- `npm run sql:commit` turns it into a migration; sql/README.md says how.

--!include schema/djr.sql
--!include schema/domains.sql

--!include tables/settings.sql
--!include tables/event.sql
--!include tables/activity.sql
--!include tables/delivery_mode.sql
--!include tables/instance.sql
--!include views/event_status.sql

--!include functions/_encode.sql
--!include functions/_refuse_size.sql
--!include functions/_validate.sql
--!include functions/_is_valid.sql
--!include functions/_announce.sql
--!include triggers/event_announce.sql
--!include functions/_forget_activity.sql
--!include triggers/event_forget.sql

--!include functions/_publish_once.sql
--!include functions/_notify_only.sql
--!include functions/_publish.sql
--!include functions/publish.sql
--!include functions/publish_global.sql
--!include functions/publish_system.sql
--!include functions/publish_many.sql
--!include functions/_row_columns.sql
--!include functions/_publish_row.sql
--!include functions/publish_row.sql
--!include functions/replay.sql
--!include functions/prune_batch.sql
--!include functions/prune.sql

--!include functions/record_activity.sql
--!include functions/_acknowledge.sql
--!include functions/acknowledge.sql

--!include functions/channel.sql
--!include functions/position.sql
--!include functions/epoch.sql
--!include functions/_ring.sql
--!include functions/configure.sql
--!include functions/set_delivery_mode.sql
--!include functions/repair_xids.sql
--!include functions/report_instance.sql
--!include functions/forget_instance.sql

--!include functions/grant_publish.sql
--!include functions/grant_server.sql
--!include privileges/revoke.sql
--!include privileges/regrant.sql
