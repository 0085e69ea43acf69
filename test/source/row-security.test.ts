import test from 'ava';
import { diagnose } from '../../src/doctor/diagnosis.js';
import { createRealtime, DjrError } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';

const TABLES = ['event', 'activity', 'settings', 'instance', 'migrations'];

/** A login that may run the runtime and publish, and neither owns djr nor is a superuser. */
async function server(t: Parameters<typeof createDatabase>[0], db: TestDatabase): Promise<string> {
  const role = `server_${db.name}`;
  await db.query(
    `create role ${role} login password 'secret'; select djr.grant_server('${role}'), djr.grant_publish('${role}')`,
  );
  t.teardown(() => db.query(`drop owned by ${role}; drop role ${role}`));
  const url = new URL(db.url);
  url.username = role;
  url.password = 'secret';
  return url.href;
}

async function doctor(db: TestDatabase, url: string) {
  const client = await db.connect({ connectionString: url });
  for await (const finding of diagnose(client, () => db.connect()))
    if (finding.check === 'row security') return finding;
  throw new Error('there is no such check');
}

for (const table of TABLES) {
  test(`Row security on djr.${table} is said by doctor, and the runtime does not start half blind`, async (t) => {
    const db = await createDatabase(t);
    const url = await server(t, db);
    t.is((await doctor(db, url)).state, 'ok');
    await db.query(`alter table djr.${table} enable row level security`);
    const finding = await doctor(db, url);
    t.is(finding.state, 'failed');
    t.regex(finding.todo, new RegExp(`alter table djr\\.${table} disable row level security`));
    t.is((await doctor(db, db.url)).state, 'warning', 'a superuser sees all, and other roles do not');

    const realtime = createRealtime({ database: url });
    t.teardown(() => realtime.stop());
    const error = await t.throwsAsync(realtime.start(), { instanceOf: DjrError });
    t.regex(`${error.message} ${error.hint}`, /row security|djr migrate/i);
    t.false(realtime.health().ok);
    await db.query(`alter table djr.${table} disable row level security`);
    await realtime.start();
  });
}

test('A runtime whose policies let it see everything is not kept from starting by another schema', async (t) => {
  const db = await createDatabase(t);
  const url = await server(t, db);
  await db.query('create table public.event (id int); alter table public.event enable row level security');
  t.is((await doctor(db, url)).state, 'ok');
  const realtime = createRealtime({ database: url });
  t.teardown(() => realtime.stop());
  await t.notThrowsAsync(realtime.start());
});
