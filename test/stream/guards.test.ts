import test from 'ava';
import { ActivityCounter } from '../../src/activity/counter.js';
import { Client } from '../../src/clients/client.js';
import { Hub } from '../../src/clients/hub.js';
import { EVERYBODY } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Item } from '../../src/event/item.js';
import type { Logger } from '../../src/index.js';
import { Feed } from '../../src/stream/feed.js';
import { healthOf } from '../../src/telemetry/health.js';
import { connectionTo } from '../helpers/connection.js';
import { startApp, until } from '../helpers/server.js';

const broken = (): never => {
  throw new Error('the log is full');
};
const LOGGERS: Record<string, Logger> = {
  throws: { debug: broken, info: broken, warn: broken, error: broken },
  rejects: Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [level, () => Promise.reject(new Error('the log is full'))]),
  ) as unknown as Logger,
};

for (const [how, logger] of Object.entries(LOGGERS)) {
  test(`A logger that ${how} stops neither a start nor delivery`, async (t) => {
    const app = await startApp(t, {
      logger,
      onReceive: (event) => (event.type === 'bad' ? broken() : event),
      beforeSend: (event) => (event.type === 'worse' ? broken() : event),
    });
    app.realtime.subscribe('good', broken);
    const stream = await app.stream();
    for (const type of ['bad', 'worse', 'good', 'bad', 'good']) await app.realtime.publish({ scope: 'public', type });
    await stream.count(2);
    t.deepEqual(stream.types, ['good', 'good']);
    // A message that is garbage is logged from within the listener.
    const [row] = await app.db.query<{ channel: string }>('select djr.channel() as channel');
    await app.db.query('select pg_notify($1, $2)', [row!.channel, 'garbage']);
    await app.realtime.publish({ scope: 'public', type: 'last' });
    await stream.event('last');
    t.true(app.realtime.health().ok);
  });
}

test('An event that cannot be delivered costs itself, and none behind it', async (t) => {
  const got: number[] = [];
  const failed: number[] = [];
  const feed = new Feed({
    maxWaiting: 10,
    turnBytes: 1000,
    deliver: ({ id }) => {
      if (id === 1) throw new Error('broken');
      if (id === 2) return Promise.reject(new Error('broken'));
      got.push(id);
    },
    onLost: () => t.fail(),
    onFailed: ({ id }) => failed.push(id),
  });
  feed.startAt(new Frontier('e', 1, 10, 10, []));
  feed.receive([1, 2, 3].map((id) => new Envelope(id, null, 'public', null, 'note', 0, '{}')));
  await feed.settled();
  t.deepEqual([failed, got, feed.failures], [[1, 2], [3], 2]);
});

test('A connection that throws loses its own client only', async (t) => {
  const hub = new Hub({
    heartbeat: 60_000,
    writeTimeout: 60_000,
    position: () => 'p',
    activity: new ActivityCounter(10),
  });
  const got: string[] = [];
  const clients = [broken, (chunk: Buffer) => void got.push(chunk.toString())].map(
    (take) =>
      new Client({
        userId: null,
        audiences: [EVERYBODY],
        connection: connectionTo(take),
        incoming: { request: () => new Request('http://localhost/') },
        types: null,
        named: false,
        maxBytes: 1024,
        beforeSend: undefined,
        onSent() {},
        onClose: (client) => hub.leave(client),
      }),
  );
  for (const client of clients) {
    hub.admit(client);
    hub.join(client);
  }
  hub.deliver(new Item(1, new Envelope(1, 5, 'public', null, 'note', 0, '{}'), 'p'));
  hub.flush();
  t.is(got.length, 1);
  t.deepEqual(
    clients.map(({ closed }) => closed),
    [true, false],
  );
  clients[1]!.close('client');
  t.is(hub.size, 0);
});

test('healthz says when no event gets through any more', async (t) => {
  const app = await startApp(t, { hookTimeout: 100 });
  t.is(app.realtime.health().checks.delivery, 'ok');
  let release = () => {};
  const feed = new Feed({
    maxWaiting: 10,
    turnBytes: 1000,
    deliver: () => new Promise<void>((resolve) => (release = resolve)),
    onLost: () => t.fail(),
    onFailed: () => t.fail(),
  });
  feed.startAt(new Frontier('e', 1, 10, 10, []));
  feed.receive([new Envelope(1, null, 'public', null, 'note', 0, '{}')]);
  t.is(healthOf(feed.findings(60_000), null).checks.delivery, 'ok');
  await until('some time', () => feed.stuckFor > 5);
  const stuck = healthOf(feed.findings(1), null);
  t.false(stuck.ok);
  t.is(stuck.problems.length, 1);
  t.regex(stuck.problems[0]!, /^no event has been delivered for \d+ s: one before them does not end$/);
  release();
});

test('The feed knows for how long one event has been on its way', async (t) => {
  let release = () => {};
  const feed = new Feed({
    maxWaiting: 10,
    turnBytes: 1000,
    deliver: () => new Promise<void>((resolve) => (release = resolve)),
    onLost: () => t.fail(),
    onFailed: () => t.fail(),
  });
  feed.startAt(new Frontier('e', 1, 10, 10, []));
  t.is(feed.stuckFor, 0);
  feed.receive([new Envelope(1, null, 'public', null, 'note', 0, '{}')]);
  await until('some time', () => feed.stuckFor > 5);
  release();
  await feed.settled();
  t.is(feed.stuckFor, 0);
});

test('Errors of one kind are logged once and then now and then, with their number', async (t) => {
  const app = await startApp(t, { onReceive: (event) => (event.type === 'bad' ? broken() : event) });
  const stream = await app.stream();
  for (let i = 0; i < 50; i += 1) await app.realtime.publish({ scope: 'public', type: 'bad' });
  await app.realtime.publish({ scope: 'public', type: 'good' });
  await stream.event('good');
  t.is(app.lines.filter(({ level }) => level === 'error').length, 1);
  const metrics = await (await fetch(`${app.origin}/realtime/metrics`)).text();
  t.true(metrics.includes('\ndjr_hook_errors_total{hook="onReceive"} 50\n'));
});

test('A start shows onReceive the newest events only, and waits for none that hangs', async (t) => {
  const first = await startApp(t);
  await first.db.query(
    `insert into djr.event (scope, type, detail) select 'public', 'old', jsonb_build_object('n', n) from generate_series(1, 3000) n`,
  );
  const seen: number[] = [];
  const second = await startApp(
    t,
    {
      hookTimeout: 200,
      onReceive: (event) => {
        seen.push(Number(event.detail.n));
        return event.detail.n === 2990 ? new Promise<never>(() => {}) : event;
      },
    },
    first.db,
  );
  t.true(seen.length <= 1000, `${seen.length}`);
  t.true(seen.every((n) => n > 2000));
  // What it did not see comes from storage, for a client that asks.
  const stream = await second.stream('?since=1:1:');
  await stream.count(2999);
  t.is(new Set(stream.events.map(({ data }) => data.n)).size, 2999);
});
