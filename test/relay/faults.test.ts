import type { ChildProcess } from 'node:child_process';
import type { ExecutionContext } from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { forkCompiled } from '../helpers/fork-compiled.js';
import { type Nats, startNats, natsTest as test } from '../helpers/nats.js';
import { startRelay as startProxy } from '../helpers/relay.js';
import { until } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';
import { startEdge, startSource } from './relayed.js';

const INSTANCE = new URL('../torture/instance.ts', import.meta.url);

/** A source in a process of its own, so that a signal is real. No sweep comes by itself: NOTIFY brings all ahead of it. */
async function forkSource(t: ExecutionContext, db: TestDatabase, nats: Nats): Promise<ChildProcess> {
  const options = { relay: { servers: nats.urls }, sweepInterval: 3_600_000 };
  const child = forkCompiled(INSTANCE, [db.url, '0', JSON.stringify(options)]);
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise<void>((resolve) => {
    child.on('message', ({ log }: { log?: string }) => log?.includes('listening for events') && resolve());
  });
  return child;
}

/** Publishes, a few at a time, until it is told to stop. */
function publishing(db: TestDatabase): { stop(): Promise<number> } {
  let stopped = false;
  let n = 0;
  const running = (async () => {
    while (!stopped) {
      n += 1;
      await db.query("select djr.publish_public('note', jsonb_build_object('n', $1::int))", [n]);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return n;
    },
  };
}

/** It has every event once, in the order of the log. */
async function hasAll(t: ExecutionContext, stream: Stream, count: number): Promise<void> {
  await stream.until('all events', () => stream.events.length >= count);
  const got = stream.events.map(({ data }) => Number(data.n));
  t.is(new Set(got).size, got.length, 'an event came twice');
  t.deepEqual(
    [...got].sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i + 1),
  );
  t.deepEqual(stream.resets, []);
}

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  test(`When the source that writes the log gets ${signal}, another takes over, and no event is lost or comes twice`, async (t) => {
    const db = await createDatabase(t);
    const nats = await startNats(t);
    const first = await forkSource(t, db, nats);
    const edge = await startEdge(t, nats);
    const stream = await edge.stream();
    await startSource(t, db, nats);
    const publisher = publishing(db);
    await stream.until('the first events', () => stream.events.length > 50);
    first.kill(signal);
    const before = stream.events.length;
    await stream.until('events of the other source', () => stream.events.length > before + 100);
    if (signal === 'SIGSTOP') {
      first.kill('SIGCONT');
      await stream.until('more events', () => stream.events.length > before + 200);
    }
    await hasAll(t, stream, await publisher.stop());
  });
}

test('When the engine is wiped, edges go on with a new generation, and clients miss nothing', async (t) => {
  const db = await createDatabase(t);
  const nats = await startNats(t);
  await startSource(t, db, nats);
  const edge = await startEdge(t, nats);
  const stream = await edge.stream();
  const publisher = publishing(db);
  await stream.until('the first events', () => stream.events.length > 50);
  await nats.wipe();
  const before = stream.events.length;
  await stream.until('events of the new generation', () => stream.events.length > before + 50);
  await hasAll(t, stream, await publisher.stop());
});

test('What an edge did not hear it reads, and clients get it in its place', async (t) => {
  const db = await createDatabase(t);
  const nats = await startNats(t);
  await startSource(t, db, nats);
  const address = new URL(nats.urls[0]!);
  const proxy = await startProxy(t, Number(address.port));
  const edge = await startEdge(t, { ...nats, urls: [proxy.origin.replace('http', 'nats')] });
  const stream = await edge.stream();
  const publisher = publishing(db);
  for (let round = 1; round <= 3; round += 1) {
    await stream.until('some events', () => stream.events.length > round * 50);
    if (round === 3) proxy.freeze();
    else proxy.cut();
  }
  await stream.until('more events', () => stream.events.length > 250);
  await hasAll(t, stream, await publisher.stop());
  t.regex(await edge.realtime.metrics(), /djr_relay_fills_total [1-9]/);
});

test('When the leader of a cluster dies, sources and edges go on, and no event is lost or comes twice', async (t) => {
  const db = await createDatabase(t);
  const nats = await startNats(t, { count: 3 });
  await startSource(t, db, nats);
  await startSource(t, db, nats);
  const edge = await startEdge(t, nats);
  const stream = await edge.stream();
  const publisher = publishing(db);
  await stream.until('the first events', () => stream.events.length > 50);
  for (const server of nats.servers) {
    const before = stream.events.length;
    await server.kill();
    await until('the cluster goes on', () => stream.events.length > before + 50);
    await server.start();
    await nats.ready();
  }
  await hasAll(t, stream, await publisher.stop());
});
