// @ts-check
/** The shop of the examples: its table, its trigger, its queries. None of it knows which framework serves it. */
import pg from 'pg';

/**
 * @typedef {{ id: number, item: string, status: string }} Order
 * @typedef {Awaited<ReturnType<typeof openShop>>} Shop
 */

const TABLE = `
  create table if not exists orders (
    id serial primary key,
    customer text not null,
    item text not null check (item <> ''),
    status text not null default 'new'
  );
  -- Whoever changes a row, the app, a job or psql, its customer's pages hear of it.
  create or replace trigger orders_changed after insert or update or delete on orders
    for each row execute function djr.publish_row('order_changed', 'customer', 'id,item,status');
  -- Everyone who is in the shop hears what is ordered, and not by whom.
  create or replace trigger orders_placed after insert on orders
    for each row execute function djr.publish_row('order_placed', 'topic:shop', 'item')`;

/** `DATABASE_URL` where it is set (with djr's schema in it), else a PostgreSQL of the example's own. */
async function findDatabase() {
  const { startEmbedded } = await import('../../dist/testing/embedded.js');
  const { migrate } = await import('../../dist/install/migrate.js');
  const own = process.env.DATABASE_URL ? undefined : await startEmbedded();
  const url = process.env.DATABASE_URL ?? own?.url ?? '';
  await migrate(url);
  return { url, close: async () => own?.dispose() };
}

export async function openShop() {
  const { url, close } = await findDatabase();
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => {}); // The database ended an idle connection: the next query opens another.
  await pool.query(TABLE);
  return {
    databaseUrl: url,

    /**
     * A customer's orders, where the stream stood, and the permission to hear the shop's room, in one statement: a page that starts its
     * stream there misses nothing.
     *
     * @param {string} customer
     * @returns {Promise<{ orders: Order[], since: string, seal: string }>}
     */
    async read(customer) {
      const { rows } = await pool.query(
        `select djr.position() as since, djr.seal('shop', $1) as seal, coalesce(
           (select jsonb_agg(jsonb_build_object('id', id, 'item', item, 'status', status) order by id desc)
              from orders where customer = $1), '[]') as orders`,
        [customer],
      );
      return rows[0];
    },

    /**
     * For a page with what `read` returned.
     *
     * @param {import('djr').Realtime} realtime
     * @param {{ since: string, seal: string }} stream
     */
    scriptTag: (realtime, { since, seal }) => realtime.scriptTag({ since, topics: ['shop'], seals: [seal] }),

    /** @param {string} customer @param {string} item */
    async place(customer, item) {
      await pool.query('insert into orders (customer, item) values ($1, $2)', [customer, item.slice(0, 80)]);
    },

    /** new, paid, shipped. @param {string} customer @param {number} id */
    async advance(customer, id) {
      const next = `case status when 'new' then 'paid' else 'shipped' end`;
      await pool.query(`update orders set status = ${next} where id = $1 and customer = $2`, [id, customer]);
    },

    async close() {
      await pool.end();
      await close();
    },
  };
}

/** Says where the example is. @param {Shop} shop @param {number} port */
export const say = (shop, port) => console.log(`listening on http://127.0.0.1:${port}/\ndatabase ${shop.databaseUrl}`);

/**
 * Starts nothing itself: says where the example is, and ends in order at Ctrl-C.
 *
 * @param {Shop} shop
 * @param {number} port
 * @param {() => Promise<void>} stop - ends the server and the streams
 */
export function announce(shop, port, stop) {
  say(shop, port);
  const end = async () => {
    await stop();
    await shop.close();
    process.exit(0);
  };
  process.once('SIGINT', end).once('SIGTERM', end);
}

/** A name in a cookie is no login: your app has a real one. @param {string | undefined} name */
export const customerOf = (name) => (name && /^[\p{L}\d ._-]{1,30}$/u.test(name) ? name : null);
