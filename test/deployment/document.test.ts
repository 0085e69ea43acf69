import test from 'ava';
import { djr } from '../cli/helpers.js';
import { createDatabase } from '../helpers/database.js';
import { adapt, codeBlocks } from '../helpers/document.js';
import { startApp } from '../helpers/server.js';

test('the roles of the document: one publishes and the other serves, and neither does what the other one does', async (t) => {
  const db = await createDatabase(t);
  const [documented] = await codeBlocks('deployment.md', 'sql');
  const [app, runtime] = [`app_${db.name}`, `runtime_${db.name}`];
  await db.query(
    adapt(documented!, [
      ['create role app login', `create role ${app} login`],
      ['djr_runtime', runtime],
      ["'app'", `'${app}'`],
    ]),
  );
  await db.query(`alter role ${runtime} password 'secret'`);
  t.teardown(() => db.query(`drop owned by ${app}, ${runtime}; drop role ${app}, ${runtime}`));
  const as = async (role: string) => {
    const client = await db.connect();
    await client.query(`set session authorization ${role}`);
    return client;
  };
  const publisher = await as(app);
  const server = await as(runtime);
  const serving = await startApp(t, { database: db.url.replace(/\/\/[^@]*@/, `//${runtime}:secret@`) }, db);
  const stream = await serving.stream();
  await publisher.query("select djr.publish_public('note')");
  await stream.count(1);
  t.like(await t.throwsAsync(publisher.query('select * from djr.event')), { code: '42501' });
  t.like(await t.throwsAsync(publisher.query('select djr.channel()')), { code: '42501' });
  t.like(await t.throwsAsync(server.query("select djr.publish_public('note')")), { code: '42501' });
  t.is((await server.query('select from djr.event')).rowCount, 1);
});

test('each address of several hosts in the document reaches the database', async (t) => {
  const db = await createDatabase(t);
  const { hostname, password, port, username } = new URL(db.url);
  const [documented] = await codeBlocks('deployment.md', 'sh');
  const addresses = documented!.trim().split('\n');
  t.is(addresses.length, 2);
  const login: [string, string][][] = [
    [
      ['app:secret@one:5432,two:5432', `${username}:${password}@${hostname}:${port},localhost:${port}`],
      ['/app', `/${db.name}`],
    ],
    [
      ['host=one,two', `host=${hostname},localhost`],
      ['port=5432', `port=${port}`],
      ['user=app', `user=${username}`],
      ['/app', `/${db.name}`],
    ],
  ];
  for (const [place, line] of addresses.entries()) {
    const address = adapt(line, login[place]!).replace('DATABASE_URL=', '');
    const { code, out, err } = await djr(t, ['consumers'], { env: { DATABASE_URL: address, PGPASSWORD: password } });
    t.is(code, 0, `${address}: ${err}`);
    t.regex(out, /^no consumer/);
  }
});
