import test from 'ava';
import type { TestDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

const activity = (db: TestDatabase) =>
  db.query<{ status: string; user_id: string | null; recipients: number | null }>(
    'select status, user_id, recipients from djr.activity order by event_id, status, user_id nulls first, recipients',
  );

const recorded = (db: TestDatabase, rows: number) =>
  until(`${rows} rows of activity`, async () => (await activity(db)).length >= rows);

const configure = (db: TestDatabase, activity: string) => db.query('select djr.configure(activity => $1)', [activity]);

test('summary: one row an event and instance says to how many clients it was sent, and whose a user event is', async (t) => {
  const app = await startApp(t);
  const second = await startApp(t, {}, app.db);
  await Promise.all([app.stream(), app.streamOf('7'), app.streamOf('7', '?named=1'), app.streamOf('8')]);
  const [far] = await Promise.all([second.streamOf('7'), second.stream('?types=other')]);
  await app.db.query(
    `select djr.publish_global('all'); select djr.publish('7', 'own'); select djr.publish_system('back')`,
  );
  await far.count(2);
  await recorded(app.db, 6);
  t.deepEqual(await activity(app.db), [
    { status: 'sent', user_id: null, recipients: 1 },
    { status: 'sent', user_id: null, recipients: 4 },
    { status: 'sent', user_id: '7', recipients: 1 },
    { status: 'sent', user_id: '7', recipients: 2 },
    { status: 'dispatched', user_id: null, recipients: null },
    { status: 'dispatched', user_id: null, recipients: null },
  ]);
  const status = await app.db.query('select type, status, recipients::int from djr.event_status order by id');
  t.deepEqual(status, [
    { type: 'all', status: 'sent', recipients: 5 },
    { type: 'own', status: 'sent', recipients: 3 },
    { type: 'back', status: 'dispatched', recipients: 0 },
  ]);
  t.is((await app.db.query('select distinct instance from djr.activity')).length, 2);
});

test('full: also a row a user, anonymous clients together', async (t) => {
  const app = await startApp(t);
  await configure(app.db, 'full');
  await app.realtime.publish({ scope: 'public', type: 'before' });
  const [stream] = await Promise.all([app.stream(), app.stream(), app.streamOf('7'), app.streamOf('7')]);
  await until('the setting is in force', async () => {
    await app.realtime.publish({ scope: 'public', type: 'probe' });
    return (await activity(app.db)).some(({ user_id }) => user_id === '7');
  });
  const id = await app.realtime.publish({ scope: 'public', type: 'all' });
  await stream.event('all');
  const rows = () =>
    app.db.query('select status, user_id, recipients from djr.activity where event_id = $1 order by 1, 2', [id]);
  await until('its rows', async () => (await rows()).length === 3);
  t.deepEqual(await rows(), [
    { status: 'dispatched', user_id: null, recipients: null },
    { status: 'sent', user_id: '7', recipients: 2 },
    { status: 'sent', user_id: null, recipients: 2 },
  ]);
});

test('The setting is followed while events flow: nothing while it is off', async (t) => {
  const app = await startApp(t, { sweepInterval: 50 });
  const stream = await app.stream();
  await app.realtime.publish({ scope: 'public', type: 'one' });
  await recorded(app.db, 1);
  await configure(app.db, 'off');
  const sweeps = async () => {
    const text = await (await fetch(`${app.origin}/realtime/metrics`)).text();
    return Number(/^djr_sweeps_total (\d+)$/m.exec(text)![1]);
  };
  const before = await sweeps();
  await until('a sweep has read it', async () => (await sweeps()) > before + 1);
  await app.realtime.publish({ scope: 'public', type: 'two' });
  await stream.event('two');
  await configure(app.db, 'summary');
  await until('it is recorded again', async () => {
    await app.realtime.publish({ scope: 'public', type: 'three' });
    const rows = await app.db.query(`select from djr.event_status where type = 'three' and status = 'sent'`);
    return rows.length > 0;
  });
  t.deepEqual(await app.db.query(`select status from djr.event_status where type in ('one', 'two') order by id`), [
    { status: 'sent' },
    { status: 'new' },
  ]);
});

test('A client that gets an event by resuming counts as well', async (t) => {
  const app = await startApp(t);
  const stream = await app.streamOf('7');
  await app.realtime.publish({ userId: 7, type: 'first' });
  await stream.event('first');
  stream.close();
  let missed = 0;
  await until('the client has gone', async () => {
    missed = await app.realtime.publish({ userId: 7, type: 'missed' });
    await until(
      'its row',
      async () => (await app.db.query('select from djr.activity where event_id = $1', [missed])).length > 0,
    );
    const rows = await app.db.query('select status from djr.activity where event_id = $1', [missed]);
    return rows[0]!.status === 'dispatched';
  });
  const again = await app.streamOf('7', '', { lastEventId: stream.lastEventId });
  await again.event('missed');
  // From the history of an instance that knows nothing of it, or from storage.
  for (const options of [{}, { historyEvents: 0 }]) {
    const other = await startApp(t, options, app.db);
    await (await other.streamOf('7', '', { lastEventId: stream.lastEventId })).event('missed');
  }
  const status = () => app.db.query('select status, recipients::int from djr.event_status where id = $1', [missed]);
  await until('all three are counted', async () => (await status())[0]!.recipients >= 3);
  t.deepEqual(await status(), [{ status: 'sent', recipients: 3 }]);
});

test('A hook that fails is an error of that event, for as many clients as it failed for', async (t) => {
  const app = await startApp(t, {
    onReceive(event) {
      if (event.type === 'declined') throw new Error('onReceive failed');
      return event;
    },
    async beforeSend(event, { userId }) {
      if (userId !== '7') throw new Error('beforeSend failed');
      return event;
    },
  });
  const [stream] = await Promise.all([app.streamOf('7'), app.streamOf('8'), app.stream()]);
  await app.realtime.publish({ scope: 'public', type: 'declined' });
  await app.realtime.publish({ scope: 'public', type: 'partly' });
  await stream.event('partly');
  const status = () =>
    app.db.query('select type, status, recipients::int, errors::int from djr.event_status order by id');
  await until('both errors are there', async () => (await status()).every(({ errors }) => errors > 0));
  t.deepEqual(await status(), [
    { type: 'declined', status: 'error', recipients: 0, errors: 1 },
    { type: 'partly', status: 'sent', recipients: 1, errors: 2 },
  ]);
});

test('What is not stored has no activity, and recording goes on', async (t) => {
  const app = await startApp(t, { sweepInterval: 50 });
  const stream = await app.stream();
  await app.db.query('select djr.configure(storage => false)');
  await app.realtime.publish({ scope: 'public', type: 'passing' });
  await stream.event('passing');
  await app.db.query('select djr.configure(storage => true)');
  await app.realtime.publish({ scope: 'public', type: 'stored' });
  await recorded(app.db, 1);
  t.deepEqual(await app.db.query('select type from djr.activity join djr.event on event_id = id'), [
    { type: 'stored' },
  ]);
});

test('A burst is recorded in few statements, event by event', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  await app.db.query(`create table statements (n int);
    create function count_statement() returns trigger language plpgsql security definer as
      $$ begin insert into public.statements select count(*) from _new; return null; end $$;
    create trigger counting after insert on djr.activity referencing new table as _new
      for each statement execute function count_statement()`);
  await app.db.query(`insert into djr.event (scope, type) select 'public', 'many' from generate_series(1, 5000)`);
  await stream.count(5000);
  await recorded(app.db, 5000);
  t.deepEqual(await app.db.query('select distinct status, recipients from djr.activity'), [
    { status: 'sent', recipients: 1 },
  ]);
  const [{ statements }] = (await app.db.query('select count(*)::int as statements from statements')) as [
    { statements: number },
  ];
  t.true(statements <= 20, `${statements} statements`);
});

test('While the database takes no activity events flow, and what waits is recorded when it does', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const blocking = await app.db.connect();
  await blocking.query('begin; lock table djr.activity in access exclusive mode');
  for (let i = 0; i < 20; i += 1) await app.realtime.publish({ scope: 'public', type: `t${i}` });
  await stream.count(20);
  await blocking.query('commit');
  await recorded(app.db, 20);
  t.is((await activity(app.db)).length, 20);
});

test('A batch that fails for a while is tried again; one that cannot be recorded is dropped with a line in the log', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  await app.db.query('alter function djr.record_activity rename to record_activity_away');
  await app.realtime.publish({ scope: 'public', type: 'lost' });
  await until('it is said', () => app.lines.some(({ message }) => message.includes('is dropped')));
  t.is(app.lines.find(({ message }) => message.includes('is dropped'))!.context.dropped, 1);
  await app.db.query(`create function djr.record_activity(text, bigint[], text[], text[], integer[]) returns bigint
    language plpgsql as $$ begin raise exception 'out of order' using errcode = '57014'; end $$`);
  await app.realtime.publish({ scope: 'public', type: 'late' });
  await until('it will be tried again', () => app.lines.some(({ message }) => message.includes('will try again')));
  await app.db.query(`drop function djr.record_activity;
    alter function djr.record_activity_away rename to record_activity`);
  await recorded(app.db, 1);
  t.deepEqual(stream.types, ['lost', 'late']);
  t.deepEqual(await app.db.query('select type, status from djr.event_status order by id'), [
    { type: 'lost', status: 'new' },
    { type: 'late', status: 'sent' },
  ]);
});

test('stop() records what it has not recorded yet, and waits no longer for it than its grace time', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  await app.realtime.publish({ scope: 'public', type: 'last' });
  await stream.event('last');
  await app.realtime.stop();
  t.deepEqual(await activity(app.db), [{ status: 'sent', user_id: null, recipients: 1 }]);

  const second = await startApp(t, { shutdownGrace: 100 }, app.db);
  const blocking = await app.db.connect();
  await blocking.query('begin; lock table djr.activity in access exclusive mode');
  const other = await second.stream();
  await app.db.query(`select djr.publish_global('blocked')`);
  await other.event('blocked');
  await second.realtime.stop();
  await blocking.query('rollback');
  t.pass();
});
