create table if not exists orders (
  id bigint generated always as identity primary key,
  customer_id bigint,
  status text not null,
  total numeric not null,
  internal_note text
);

-- The type, the column that names the user ('' would be everyone), and the columns to send.
-- internal_note is not among them: it is not sent, and a change of it alone publishes nothing.
create or replace trigger order_changed
after insert or update or delete on orders
for each row
execute function djr.publish_row('order_changed', 'customer_id', 'status, total');
