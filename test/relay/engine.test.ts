import type { ExecutionContext } from 'ava';
import { Engine } from '../../src/relay/engine.js';
import { RefusedError } from '../../src/relay/log.js';
import { startNats, natsTest as test } from '../helpers/nats.js';
import { silent } from './world.js';

async function open(t: ExecutionContext, servers: readonly string[], maxAge?: number): Promise<Engine> {
  const asked = { servers, namespace: 'test', role: 'source', instance: 'one', maxAge, logger: silent } as const;
  const engine = await Engine.open(asked);
  t.teardown(() => engine.close());
  return engine;
}

/** How the engine has made the stream. */
async function configOf(engine: Engine): Promise<{ num_replicas: number; max_age: number }> {
  return JSON.parse(await engine.ask(`$JS.API.STREAM.INFO.${engine.subjects.stream}`, '')).config;
}

const append = (engine: Engine, subject: string, text: string, last: number, earlier?: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const done = (error: unknown, sequence: number) => (error === undefined ? resolve(sequence) : reject(error));
    engine.append(subject, text, last, done, earlier);
  });

for (const count of [1, 3] as const) {
  test(`What is appended to ${count === 1 ? 'one server' : 'a cluster of three'} is read by sequence, and heard`, async (t) => {
    const nats = await startNats(t, { count });
    const engine = await open(t, nats.urls);
    t.is(await engine.state(), undefined);
    await engine.prepare();
    t.is((await configOf(engine)).num_replicas, count);
    const heard: unknown[] = [];
    engine.follow(engine.subjects.live(engine.subjects.log), (message) => heard.push(message));
    await engine.flush();
    const subject = engine.subjects.event('g1', 'u:å.*>');
    t.is(await append(engine, subject, 'first', 0, '1.2n'), 1);
    t.is(await append(engine, engine.subjects.claim('g1'), 'second', 1), 2);
    t.deepEqual(await engine.state(), { first: 1, last: 2 });
    t.deepEqual(await engine.read(1, true), { sequence: 1, subject, text: 'first' });
    t.is((await engine.newest(engine.subjects.claim(), true))?.text, 'second');
    t.is(await engine.newest(engine.subjects.checkpoint(), true), undefined);
    t.is(await engine.read(3, true), undefined);
    await engine.flush();
    t.deepEqual(heard[0], { subject: engine.subjects.live(subject), text: 'first', sequence: 1, earlier: '1.2n' });
  });
}

test('The log keeps events for an hour or as long as maxAge says, and without it a stream that is there keeps its own', async (t) => {
  const nats = await startNats(t);
  for (const [maxAge, kept] of [
    [undefined, 3_600_000],
    [60_000, 60_000],
    [undefined, 60_000],
    [7_200_000, 7_200_000],
  ] as const) {
    const engine = await open(t, nats.urls, maxAge);
    await engine.prepare();
    t.is((await configOf(engine)).max_age, kept * 1_000_000, `maxAge ${maxAge}`);
  }
});

test('An append behind a message that is not the last is refused, and so are those behind it', async (t) => {
  const nats = await startNats(t);
  const engine = await open(t, nats.urls);
  await engine.prepare();
  const subject = engine.subjects.filler('g1');
  await append(engine, subject, '', 0);
  const results = await Promise.allSettled([7, 8, 9].map((last) => append(engine, subject, '', last)));
  for (const result of results) t.true(result.status === 'rejected' && result.reason instanceof RefusedError);
});

test('An append without an answer fails, and the connection comes back by itself', async (t) => {
  const nats = await startNats(t);
  const engine = await open(t, nats.urls);
  await engine.prepare();
  nats.servers[0]!.signal('SIGSTOP');
  // The first may come before the signal.
  const appendUntilItFails = async () => {
    for (let last = 0; ; last += 1) await append(engine, engine.subjects.filler('g1'), '', last);
  };
  await t.throwsAsync(appendUntilItFails, { message: /did not answer in time|was lost/ });
  nats.servers[0]!.signal('SIGCONT');
  await nats.servers[0]!.kill();
  await t.throwsAsync(append(engine, engine.subjects.filler('g1'), '', 0));
  await nats.servers[0]!.start();
  await nats.ready();
  while (!engine.connected) await new Promise((resolve) => setTimeout(resolve, 20));
  const last = (await engine.state())!.last;
  t.is(await append(engine, engine.subjects.filler('g1'), '', last), last + 1);
});

test('A source without the packages of NATS or with a server that is away says so', async (t) => {
  await t.throwsAsync(open(t, ['nats://127.0.0.1:1']), { message: /127\.0\.0\.1:1|ECONNREFUSED|refused/i });
});
