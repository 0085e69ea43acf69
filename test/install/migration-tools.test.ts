import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { EntitySchema as MikroEntity, MikroORM } from '@mikro-orm/postgresql';
import test from 'ava';
import knexOf from 'knex';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema as TypeormEntity } from 'typeorm';
import { dumpSchema } from '../../scripts/schema-dump.js';
import { migrate } from '../../src/install/migrate.js';
import { djr } from '../cli/helpers.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';

/** What docs/migration-tools.md says of a tool that compares the database with models: run, with djr in the database. */
const compare: Record<string, (url: string) => Promise<void>> = {
  'MikroORM schema.update() with ignoreSchema': async (url) => {
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: [
        new MikroEntity({
          name: 'Account',
          tableName: 'account',
          properties: { id: { type: 'number', primary: true }, email: { type: 'string' } },
        }),
      ],
      schemaGenerator: { ignoreSchema: ['djr'] },
    });
    await orm.schema.updateSchema();
    await orm.close();
  },
  'TypeORM synchronize, and with dropSchema': async (url) => {
    for (const dropSchema of [false, true]) {
      const source = new DataSource({
        type: 'postgres',
        url,
        synchronize: true,
        dropSchema,
        entities: [
          new TypeormEntity({
            name: 'account',
            columns: { id: { type: 'int', primary: true }, email: { type: 'text', nullable: true } },
          }),
        ],
      });
      await source.initialize();
      await source.destroy();
    }
  },
  'Sequelize sync with alter, with force, and drop': async (url) => {
    const sequelize = new Sequelize(url, { logging: false });
    sequelize.define('account', { email: DataTypes.TEXT }, { tableName: 'account', timestamps: false });
    await sequelize.sync({ alter: true });
    await sequelize.sync({ force: true });
    await sequelize.drop({ cascade: true });
    await sequelize.close();
  },
};

async function schemaOf(database: TestDatabase): Promise<string> {
  const client = await database.connect();
  return dumpSchema(client);
}

for (const [name, run] of Object.entries(compare)) {
  test(`${name} leaves all of djr as it was`, async (t) => {
    const database = await createDatabase(t);
    await database.query('create table account (id integer primary key)');
    const before = await schemaOf(database);
    await run(database.url);
    t.is(await schemaOf(database), before);
    t.is((await database.query("select djr.publish('1', 't')")).length, 1);
  });
}

test('what migrate --print prints is a migration of Knex: applied, taken back, applied again, and djr migrate finds it', async (t) => {
  const database = await createDatabase(t, { template: null });
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-knex-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { out } = await djr(t, ['migrate', '--print']);
  await writeFile(path.join(folder, 'djr.sql'), out);
  // As in docs/migration-tools.md.
  await writeFile(
    path.join(folder, '20260101_djr.cjs'),
    `const { readFileSync } = require('node:fs');
     exports.config = { transaction: false };
     exports.up = (knex) => knex.raw(readFileSync(__dirname + '/djr.sql', 'utf8').replaceAll('?', '\\\\?'));
     exports.down = (knex) => knex.raw('drop schema djr cascade');`,
  );
  const knex = knexOf({
    client: 'pg',
    connection: database.url,
    migrations: { directory: folder, loadExtensions: ['.cjs'] },
  });
  t.teardown(() => knex.destroy());
  await knex.migrate.latest();
  const installed = await schemaOf(database);
  await knex.migrate.rollback();
  t.deepEqual(await database.query("select to_regnamespace('djr') as djr"), [{ djr: null }]);
  await knex.migrate.latest();
  t.is(await schemaOf(database), installed);
  t.is((await database.query("select djr.publish('1', 't')")).length, 1);
  await migrate(database.url);
  t.is(await schemaOf(database), installed);
});
