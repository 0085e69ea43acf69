// @ts-check
/** What the tests beside it test: an order is paid, and its customer's pages are told, in one transaction. */

export const SCHEMA =
  'create table orders (id int primary key, customer text not null, paid bool not null default false)';

/** @param {import('pg').ClientBase} client @param {number} id */
export async function pay(client, id) {
  const { rows } = await client.query('update orders set paid = true where id = $1 returning customer', [id]);
  await client.query(`select djr.publish($1::text, 'order_paid', jsonb_build_object(':id', $2::int))`, [
    rows[0].customer,
    id,
  ]);
}
