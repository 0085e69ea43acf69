import { readFile } from 'node:fs/promises';
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';
import test, { type ExecutionContext } from 'ava';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import knexOf from 'knex';
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { createRealtime, type SqlClient } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';

/** Runs work in a transaction of a library's own: it commits when the work is done, and rolls back when it throws. */
type Transaction = (
  work: (client: SqlClient, run: (sql: string) => PromiseLike<unknown>) => Promise<void>,
) => Promise<unknown>;

const pool = (t: ExecutionContext, database: TestDatabase) => {
  const own = new pg.Pool({ connectionString: database.url, max: 2 });
  own.on('error', () => {});
  t.teardown(() => own.end());
  return own;
};

/** How a library begins a transaction, and what is handed to djr from within it: that is what docs/recipes.md shows. Prisma's needs a generated client: `npm run test:frameworks prisma`. */
const libraries: Record<string, (t: ExecutionContext, database: TestDatabase) => Promise<Transaction> | Transaction> = {
  pg: (t, database) => async (work) => {
    const client = await pool(t, database).connect();
    try {
      await client.query('begin');
      await work(client, (sql) => client.query(sql));
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  },
  Drizzle: (t, database) => {
    const db = drizzle(pool(t, database));
    const fill = (text: string, values: unknown[]) =>
      drizzleSql.join(
        text.split(/\$\d/).flatMap((part, n) => [...(n ? [drizzleSql`${values[n - 1]}`] : []), drizzleSql.raw(part)]),
      );
    return (work) =>
      db.transaction((tx) =>
        work({ query: ({ text, values }) => tx.execute(fill(text, values)) }, (sql) => tx.execute(drizzleSql.raw(sql))),
      );
  },
  Kysely: (t, database) => {
    const db = new Kysely({ dialect: new PostgresDialect({ pool: pool(t, database) }) });
    return (work) =>
      db
        .transaction()
        .execute((trx) =>
          work({ query: ({ text, values }) => trx.executeQuery(CompiledQuery.raw(text, values)) }, (sql) =>
            trx.executeQuery(CompiledQuery.raw(sql)),
          ),
        );
  },
  Knex: (t, database) => {
    const knex = knexOf({ client: 'pg', connection: database.url });
    t.teardown(() => knex.destroy());
    return (work) =>
      knex.transaction((trx) =>
        work({ query: ({ text, values }) => trx.raw(text.replace(/\$\d/g, '?'), values) }, (sql) => trx.raw(sql)),
      );
  },
  TypeORM: async (t, database) => {
    const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    t.teardown(() => source.destroy());
    return (work) =>
      source.transaction((manager) =>
        work({ query: ({ text, values }) => manager.query(text, values) }, (sql) => manager.query(sql)),
      );
  },
  Sequelize: (t, database) => {
    const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false });
    t.teardown(() => sequelize.close());
    return (work) =>
      sequelize.transaction((transaction) =>
        work(
          { query: async ({ text, values }) => (await sequelize.query(text, { bind: values, transaction }))[0] },
          (sql) => sequelize.query(sql, { transaction }),
        ),
      );
  },
  MikroORM: async (t, database) => {
    const Note = new EntitySchema({
      name: 'Note',
      tableName: 'note',
      properties: { id: { type: 'number', primary: true } },
    });
    const orm = await MikroORM.init({
      clientUrl: database.url,
      entities: [Note],
      discovery: { warnWhenNoEntities: false },
    });
    t.teardown(() => orm.close());
    return (work) =>
      orm.em
        .fork()
        .transactional((em) =>
          work({ query: ({ text, values }) => em.execute(text.replace(/\$\d/g, '?'), values) }, (sql) =>
            em.execute(sql),
          ),
        );
  },
  'postgres.js': (t, database) => {
    const sql = postgres(database.url, { onnotice() {} });
    t.teardown(() => sql.end());
    return (work) => sql.begin((tx) => work(tx, (text) => tx.unsafe(text)));
  },
};

for (const [name, open] of Object.entries(libraries)) {
  test(`in a transaction of ${name}: what is committed is published, what is rolled back is not, and a rule that is broken says which`, async (t) => {
    const database = await createDatabase(t);
    await database.query('create table note (id int)');
    const realtime = createRealtime({ database: database.url });
    t.teardown(() => realtime.stop());
    const transaction = await open(t, database);
    const events = () => database.query<{ type: string }>('select type from djr.event order by id');
    let id: number | undefined;

    await transaction(async (client, run) => {
      await run('insert into note values (1)');
      id = await realtime.publish({ userId: 'ada', type: 'kept', detail: { a: "it's", b: '$1 ? :x' } }, { client });
      await realtime.publish({ topic: 'room:7', type: 'kept_too', key: 'k' }, { client });
      await realtime.publish({ scope: 'public', type: 'kept_three', privateData: { a: 1 } }, { client });
      await realtime.disconnect('bob', 'gone', { client });
      t.deepEqual(await events(), [], 'nobody sees it before the commit');
    });
    t.deepEqual(
      (await events()).slice(0, 3).map(({ type }) => type),
      ['kept', 'kept_too', 'kept_three'],
    );
    t.is((await events()).length, 4);
    const [event] = await database.query('select id::int, user_id, detail from djr.event order by id limit 1');
    t.deepEqual(event, { id, user_id: 'ada', detail: { a: "it's", b: '$1 ? :x' } });

    await t.throwsAsync(
      transaction(async (client, run) => {
        await run('insert into note values (2)');
        await realtime.publish({ userId: 'ada', type: 'lost' }, { client });
        throw new Error('no');
      }),
      { message: /no/ },
    );
    await t.throwsAsync(
      transaction(async (client) => {
        await t.throwsAsync(realtime.publish({ userId: 'ada', type: 'a type' }, { client }), {
          name: 'DjrError',
          code: 'DJR01',
        });
        throw new Error('no');
      }),
    );
    t.is((await events()).length, 4);
    t.is((await database.query('select from note')).length, 1);
  });
}

test('docs/recipes.md shows what is handed over from each library', async (t) => {
  const plain = (text: string) => text.replace(/\s+/g, '').replaceAll('drizzleSql', 'sql');
  const [docs, source] = await Promise.all(
    ['docs/recipes.md', 'test/publish/clients.test.ts'].map((file) => readFile(file, 'utf8')),
  );
  const section = docs!.split("## In a transaction of your library's")[1]!.split('\n## ')[0]!;
  const adapters = [...section.matchAll(/^const client = (\{.*\});/gm)].map(([, adapter]) => plain(adapter!));
  for (const adapter of adapters) t.true(plain(source!).includes(adapter), adapter);
  const named = [...section.matchAll(/^\/\/ ([\w.]+): /gm)].map(([, name]) => name!);
  t.deepEqual(named.toSorted(), [...Object.keys(libraries), 'Prisma'].toSorted());
});

test('a client that cannot run the statement, or does not say what it returned, is an error that says so', async (t) => {
  const database = await createDatabase(t);
  const realtime = createRealtime({ database: database.url });
  t.teardown(() => realtime.stop());
  const publish = (client: unknown) => realtime.publish({ userId: 'ada', type: 'x' }, { client: client as SqlClient });
  for (const client of [{}, { execute() {} }, 'postgres://localhost/x', 7]) {
    await t.throwsAsync(publish(client), { code: 'DJR_CONFIG', message: /must have a method query/ });
  }
  for (const result of [undefined, null, 'x', { rowCount: 1 }]) {
    await t.throwsAsync(publish({ query: async () => result }), {
      code: 'DJR_CONFIG',
      message: /must return its rows/,
    });
  }
  for (const result of [[], { rows: [] }, [{ id: 'x' }], [{}]]) {
    await t.throwsAsync(publish({ query: async () => result }), { code: 'DJR_CONFIG', message: /id of the event/ });
  }
  for (const id of [7, '7', 7n]) t.is(await publish({ query: async () => [{ id }] }), 7);
});

test('the transaction of Prisma is taken as it is, whatever models the app has', async (t) => {
  const database = await createDatabase(t);
  const client = await database.connect();
  const realtime = createRealtime({ database: database.url });
  t.teardown(() => realtime.stop());
  const tx = {
    query: { findMany() {} },
    unsafe: { findMany() {} },
    $queryRawUnsafe: async (text: string, ...values: unknown[]): Promise<unknown> =>
      (await client.query(text, values)).rows,
  };
  t.is(await realtime.publish({ userId: 'ada', type: 'x', detail: { a: 1 } }, { client: tx }), 1);
});
