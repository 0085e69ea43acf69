import { createHash } from 'node:crypto';
import test from 'ava';
import { ActivityCounter } from '../../../src/activity/counter.js';
import { Hub } from '../../../src/clients/hub.js';
import { Orders } from '../../../src/clients/topics/orders.js';
import type { Revocation, SealKey } from '../../../src/clients/topics/seal.js';
import type { TopicStore } from '../../../src/clients/topics/topic-store.js';
import { Topics } from '../../../src/clients/topics/topics.js';
import { Envelope } from '../../../src/event/envelope.js';
import { Streams } from '../../../src/http/endpoints/stream.js';
import type { Incoming } from '../../../src/http/incoming.js';
import { resolveOptions } from '../../../src/options.js';
import type { Resume } from '../../../src/stream/resume/resume.js';
import { connectionTo } from '../../helpers/connection.js';

const KEY: SealKey = { id: '0a1b2c3d', inner: Buffer.alloc(64, 1), outer: Buffer.alloc(64, 2) };
const ENDS = 2_000_000_000;

/** What `djr.seal` makes in a snapshot that sees what is below this transaction. */
function sealOf(topic: string, userId: string, xmax: number): string {
  const content = Buffer.from(JSON.stringify([topic, userId, ENDS, `${xmax}:${xmax}:`])).toString('base64url');
  const text = `djr1.${KEY.id}.${content}`;
  const hash = (pad: Buffer, data: Buffer | string) => createHash('sha256').update(pad).update(data).digest();
  return `${text}.${hash(KEY.outer, hash(KEY.inner, text)).toString('base64url')}`;
}

const order = (type: string, userId: string | null, detail: object = {}) =>
  new Envelope(1, 1, 'control', userId, type, 0, JSON.stringify(detail));

/** Topics and streams without a database; a test answers for it. */
function stage(store: Partial<TopicStore>) {
  const options = resolveOptions({
    database: 'postgres://nowhere/',
    authenticate: (request) => request.headers.get('x-user'),
  });
  const activity = new ActivityCounter(10);
  const position = () => '0.0.0';
  const hub = new Hub({ ...options, position, activity });
  const all: TopicStore = {
    permissions: async () => ({ keys: [KEY], revocations: [] }),
    authorize: async (questions) => ({ allowed: questions.map(() => false), failure: null }),
    ...store,
  };
  const topics = new Topics({ store: all, hub, timeout: 1000, logger: options.logger, time: () => 0 });
  const streams = new Streams({
    options,
    hub,
    hooks: { beforeSend: undefined } as ConstructorParameters<typeof Streams>[0]['hooks'],
    resume: {} as Resume,
    activity,
    topics,
    logger: options.logger,
    life: { unready: async () => undefined },
    source: { position: position(), epoch: 'e', time: 0 },
  });
  const open = async (target: string, user: string) => {
    const header = (name: string) => (name === 'x-user' ? user : undefined);
    const incoming: Incoming = {
      method: 'GET',
      target,
      address: undefined,
      secure: false,
      context: {},
      login: undefined,
      header,
      request: () => new Request('http://localhost/', { headers: { 'x-user': user } }),
      body: async () => 'taken',
    };
    const start = await streams.respond(incoming);
    if ('status' in start) throw new Error(`refused with ${start.status}`);
    return start;
  };
  return { hub, topics, streams, open };
}

for (const [name, given] of [
  ['disconnect', order('disconnect', 'u')],
  ['recheck of the user', order('recheck', 'u')],
  ['recheck of the topic', order('recheck', null, { topic: 'room:7' })],
] as const) {
  test(`A ${name} that comes between the permission and the stream is not missed: the stream does not begin, and its client is asked again`, async (t) => {
    const { hub, open, streams, topics } = stage({});
    const query = `?topic=room:7&seal=${sealOf('room:7', 'u', 100)}`;
    const start = await open(`/realtime/sse/${query}`, 'u');
    const other = await open('/realtime/sse/?topic=room:8', 'v');
    await topics.order(given);
    let text = '';
    const connection = connectionTo((chunk) => {
      text += chunk;
    });
    let ended = false;
    t.is(start.begin({ ...connection, end: () => (ended = true) }), undefined);
    t.true(ended);
    t.regex(text, /^retry: \d+\n\n$/);
    start.gone();
    t.is(hub.size, 0);
    other.begin(connectionTo(() => {}));
    t.is(hub.size, 1);
    other.gone();
    t.is(streams.places, 0);
  });
}

test('A stream that was let in just before its instance is stopped does not begin', async (t) => {
  const { hub, open, streams } = stage({});
  const start = await open('/realtime/sse/', 'u');
  const stopped = streams.stop();
  let ended = false;
  t.is(start.begin({ ...connectionTo(() => {}), end: () => (ended = true) }), undefined);
  t.true(ended);
  t.is(hub.size, 0);
  start.gone();
  await stopped;
  t.is(streams.places, 0);
  t.is(streams.closed.shutdown, 1);
});

test('An order is about its user and its topic only', (t) => {
  const orders = new Orders();
  const before = performance.now();
  orders.add({ type: 'disconnect', userId: 'u', topic: null });
  orders.add({ type: 'recheck', userId: 'v', topic: null });
  orders.add({ type: 'recheck', userId: null, topic: 'room:7' });
  t.true(orders.concern('u', [], before));
  t.false(orders.concern('v', [], before));
  t.true(orders.concern('v', ['room:8'], before));
  t.false(orders.concern('w', ['room:8'], before));
  t.true(orders.concern('w', ['room:8', 'room:7'], before));
  t.true(orders.concern(null, ['room:7'], before));
  t.false(orders.concern(null, ['room:8'], before));
  t.false(orders.concern('u', ['room:7'], performance.now() + 1));
});

test('So many orders that not all are remembered concern every stream that began to open before the forgotten ones', (t) => {
  const orders = new Orders();
  const before = performance.now();
  for (let n = 0; n < 100_001; n += 1) orders.add({ type: 'disconnect', userId: `u${n}`, topic: null });
  t.true(orders.concern('u0', [], before), 'the order that is forgotten');
  t.true(orders.concern('u100000', [], before));
  t.true(orders.concern('somebody else', [], before), 'nobody can tell');
  t.false(orders.concern('somebody else', [], performance.now() + 1));
});

test('A reading of the permissions that began before a recheck does not answer for a stream that is opened after it', async (t) => {
  const revocation: Revocation = { xid: 100, userId: 'u', topic: null };
  const readings: ((revocations: Revocation[]) => void)[] = [];
  const { topics } = stage({
    permissions: () => new Promise((resolve) => readings.push((revocations) => resolve({ keys: [KEY], revocations }))),
  });
  const old = sealOf('room:7', 'u', 100);
  const young = sealOf('room:7', 'u', 101);
  const first = topics.heard('u', ['room:7'], [old]);
  await topics.order(order('recheck', 'u'));
  const second = topics.heard('u', ['room:7'], [old]);
  const third = topics.heard('u', ['room:7'], [young]);
  readings[0]!([]);
  await new Promise(setImmediate);
  t.is(readings.length, 2);
  readings[1]!([revocation]);
  const reason = 'the seal was made before the permission was taken back';
  t.deepEqual((await first).refused, new Map([['room:7', reason]]));
  t.deepEqual((await second).refused, new Map([['room:7', reason]]));
  t.deepEqual([...(await third).topics.keys()], ['room:7']);
  const later = topics.heard('u', ['room:7'], [old]);
  t.deepEqual((await later).refused, new Map([['room:7', reason]]));
  t.is(readings.length, 2);
});
