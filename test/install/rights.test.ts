import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { djr } from '../cli/helpers.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { type LogLine, startApp, until } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int)) as id";

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

/** A database, and a role that may do there what the runtime needs. */
async function withRole(t: ExecutionContext): Promise<{ db: TestDatabase; role: string; url: string }> {
  const db = await createDatabase(t);
  const role = `server_${randomBytes(6).toString('hex')}`;
  await db.query(`create role ${role} login password 'low'`);
  t.teardown(async () => {
    await db.query(`drop owned by ${role}`);
    await db.query(`drop role ${role}`);
  });
  await db.query('select djr.grant_server($1)', [role]);
  const url = new URL(db.url);
  url.username = role;
  url.password = 'low';
  return { db, role, url: url.href };
}

const loud = (lines: LogLine[], pattern: RegExp): LogLine[] =>
  lines.filter(({ level, message }) => (level === 'warn' || level === 'error') && pattern.test(message));

/** The loud lines of each outage of sweeping. A starved machine may make two where the test makes one. */
function outages(lines: LogLine[]): LogLine[][] {
  const over = lines.flatMap(({ message }, at) => (message === 'sweeps work again' ? [at] : []));
  const ends = [-1, ...over, lines.length];
  return ends
    .slice(1)
    .map((end, nth) => loud(lines.slice(ends[nth]! + 1, end), /^a sweep failed/))
    .filter(({ length }) => length > 0);
}

interface Finding {
  check: string;
  state: string;
  todo: string;
}

for (const [right, object] of [
  ['select', 'table djr.event'],
  ['usage', 'schema djr'],
]) {
  test(`The right to ${right} on ${object}, revoked and granted again: said once, streams stay, and what was missed comes`, async (t) => {
    const { db, role, url } = await withRole(t);
    const app = await startApp(t, { database: url, sweepInterval: 50 }, db);
    const stream = await app.stream();
    await db.query(PUBLISH, [1]);
    await stream.count(1);

    await db.query(`revoke ${right} on ${object} from ${role}`);
    await until(
      'sweeps that fail',
      () => app.lines.filter(({ message }) => /^a sweep failed/.test(message)).length > 5,
    );
    await db.query(PUBLISH, [2]);
    const health = await fetch(`${app.origin}/realtime/healthz`);
    t.is(health.status, 503);
    t.regex(
      ((await health.json()) as { problems: string[] }).problems.join(),
      /lacks a right to the schema djr \(42501\)/,
    );
    const { code, out } = await djr(t, ['doctor', '--json', '-d', url]);
    t.is(code, 1);
    const findings = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Finding);
    t.like(
      findings.find(({ check }) => check === 'rights'),
      { state: 'failed', todo: `As the owner: select djr.grant_server('${role}').` },
    );
    t.notRegex(findings.find(({ check }) => check === 'schema')!.todo, /migrate/);
    const said = outages(app.lines).at(-1)!;
    t.is(said.length, 1);
    t.regex(said[0]!.message, /djr\.grant_server/);

    await db.query('select djr.grant_server($1)', [role]);
    await db.query(PUBLISH, [3]);
    t.deepEqual(numbers(await stream.count(3)), [1, 2, 3]);
    await until('health is well again', () => app.realtime.health().ok);
    t.false(stream.ended);
    t.deepEqual(stream.resets, []);
    t.true(app.lines.some(({ message }) => message === 'sweeps work again'));
  });
}

test('Activity that may not be recorded is said once, and costs no event', async (t) => {
  const { db, role, url } = await withRole(t);
  const app = await startApp(t, { database: url }, db);
  const stream = await app.stream();
  await db.query(
    `revoke execute on function djr.record_activity(text, bigint[], text[], text[], integer[]) from ${role}`,
  );
  const failures = () => app.lines.filter(({ message }) => /^activity could not be recorded/.test(message)).length;
  for (const n of [1, 2, 3]) {
    await db.query(PUBLISH, [n]);
    await until('its failure', () => failures() >= n);
  }
  t.deepEqual(numbers(await stream.count(3)), [1, 2, 3]);
  t.is(loud(app.lines, /^activity/).length, 1);
  await db.query('select djr.grant_server($1)', [role]);
  await db.query(PUBLISH, [4]);
  await until('it is recorded again', () => app.lines.some(({ message }) => message === 'activity is recorded again'));
});

test('A statement_timeout that is too short for a sweep behind a lock loses no event, and is said with what to do', async (t) => {
  const { db, role, url } = await withRole(t);
  await db.query(`alter role ${role} set statement_timeout = '100ms'`);
  const app = await startApp(t, { database: url, sweepInterval: 50 }, db);
  const stream = await app.stream();
  await db.query(PUBLISH, [1]);
  await stream.count(1);

  const holder = await db.connect();
  await holder.query('begin; lock table djr.event in access exclusive mode');
  await holder.query(PUBLISH, [2]);
  await until('sweeps that fail', () => app.lines.filter(({ message }) => /^a sweep failed/.test(message)).length > 3);
  // One that starts meanwhile goes on as soon as it can.
  const late = startApp(t, { database: url, sweepInterval: 50 }, db);
  late.catch(() => {}); // What fails before it is awaited is told by itself.
  await holder.query(PUBLISH, [3]);
  await until('one that waits', async () => {
    const waiting = `select from pg_stat_activity where usename = $1 and wait_event_type = 'Lock' and query like '%repair%'`;
    return (await db.query(waiting, [role])).length > 0;
  });
  await holder.query('commit');
  await db.query(PUBLISH, [4]);
  t.deepEqual(numbers(await stream.count(4)), [1, 2, 3, 4]);
  t.false(stream.ended);
  const said = outages(app.lines);
  t.true(said.length > 0);
  for (const lines of said) {
    t.is(lines.length, 1);
    t.regex(lines[0]!.message, /statement_timeout/);
  }
  const fresh = await (await late).stream();
  await db.query(PUBLISH, [5]);
  t.is(numbers(await fresh.count(1)).at(-1), 5);
  t.deepEqual(numbers(await stream.count(5)), [1, 2, 3, 4, 5]);
});
