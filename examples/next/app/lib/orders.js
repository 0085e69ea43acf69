// @ts-check
import pg from 'pg';

const here = /** @type {{ ordersPool?: pg.Pool }} */ (globalThis);
here.ordersPool ??= new pg.Pool({ connectionString: process.env.DATABASE_URL });
const pool = here.ordersPool;

const TABLE = `
  create table if not exists orders (
    id serial primary key,
    customer text not null,
    item text not null check (item <> ''),
    status text not null default 'new'
  );
  create or replace trigger orders_changed after insert or update or delete on orders
    for each row execute function djr.publish_row('order_changed', 'customer', 'id,item,status')`;

/** Made when the first page is asked for, and not while Next builds. @type {Promise<unknown> | undefined} */
let made;

/** @param {string} customer @returns {Promise<{ orders: { id: number, item: string, status: string }[], since: string }>} */
export async function read(customer) {
  made ??= pool.query(TABLE);
  await made;
  const { rows } = await pool.query(
    `select djr.position() as since, coalesce(
       (select jsonb_agg(jsonb_build_object('id', id, 'item', item, 'status', status) order by id desc)
          from orders where customer = $1), '[]') as orders`,
    [customer],
  );
  return rows[0];
}

/** @param {string} customer @param {string} item */
export const place = (customer, item) =>
  pool.query('insert into orders (customer, item) values ($1, $2)', [customer, item]);
