import test, { type ExecutionContext } from 'ava';
import { createRealtime, type RealtimeOptions } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { recordingLogger, startServer, until } from '../helpers/server.js';

/** An app that nobody has started: the first requests do. */
async function refused(t: ExecutionContext, options: RealtimeOptions) {
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime({ logger, shutdownGrace: 500, ...options });
  const server = await startServer(t, realtime);
  const ask = async () => {
    const answer = await fetch(`${server.origin}/realtime/sse/`);
    return { status: answer.status, detail: ((await answer.json()) as { detail: string }).detail };
  };
  const first = await ask();
  const second = await ask();
  t.deepEqual([first.status, second.status], [503, 503]);
  const errors = lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  return { detail: second.detail, errors };
}

test('without the schema the log says once to run djr migrate, and so does the answer', async (t) => {
  const db = await createDatabase(t, { template: null });
  const { detail, errors } = await refused(t, { database: db.url });
  t.is(errors.length, 1);
  t.regex(errors[0]!, /djr migrate/);
  t.regex(detail, /djr migrate/);
});

test('a database that is not there, and a role, are named in the log and not outside', async (t) => {
  const db = await createDatabase(t);
  const url = new URL(db.url);
  url.pathname = '/nowhere_of_mine';
  const missing = await refused(t, { database: url.href });
  t.is(missing.errors.length, 1);
  t.regex(missing.errors[0]!, /There is no such database: correct its name in `database`, or make it/);
  t.regex(missing.detail, /does not exist \(3D000\)/);
  t.notRegex(missing.detail, /nowhere_of_mine/);

  const role = new URL(db.url);
  role.username = 'nobody_of_mine';
  const login = await refused(t, { database: role.href });
  t.is(login.errors.length, 1);
  t.regex(login.errors[0]!, /Correct the user/);
  t.regex(login.detail, /refuses the login/);
  t.notRegex(login.detail, /nobody_of_mine/);
});

test('a database that does not answer is logged once, and told without its address', async (t) => {
  const { detail, errors } = await refused(t, { database: 'postgres://127.0.0.1:1/x' });
  t.is(errors.length, 1);
  t.is(detail, 'The database cannot be reached yet; try again.');
});

test('a role without rights is told how it gets them', async (t) => {
  const db = await createDatabase(t);
  const role = `r${Date.now()}`;
  await db.query(`create role ${role} login password 'x'`);
  t.teardown(() => db.query(`drop role ${role}`).catch(() => {}));
  const url = new URL(db.url);
  url.username = role;
  url.password = 'x';
  const { detail, errors } = await refused(t, { database: url.href });
  t.regex(errors.join('\n'), /djr\.grant_server/);
  t.regex(detail, /djr\.grant_server/);
});

test('a subscription that cannot be served is logged by the start', async (t) => {
  const db = await createDatabase(t, { template: null });
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime({ database: db.url, logger });
  t.teardown(() => realtime.stop());
  realtime.subscribe(() => {});
  await until('the log', () => lines.some(({ level }) => level === 'error'));
  t.regex(lines.find(({ level }) => level === 'error')!.message, /the start failed.*djr migrate/);
});
