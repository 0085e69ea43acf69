import test from 'ava';
import { ActivityCounter } from '../../src/activity/counter.js';
import type { Client } from '../../src/clients/client.js';
import { Hub } from '../../src/clients/hub.js';
import type { TopicStore } from '../../src/clients/topics/topic-store.js';
import { Topics } from '../../src/clients/topics/topics.js';
import { Streams } from '../../src/http/endpoints/stream.js';
import type { Incoming } from '../../src/http/incoming.js';
import { resolveOptions } from '../../src/options.js';
import type { Resume } from '../../src/stream/resume/resume.js';
import { connectionTo } from '../helpers/connection.js';

const CLIENTS = 10_000;

/** All that streams are made of, but for the database and sockets; connections remember what they were told. */
async function connected(options: { lifetime: number; retry: number }) {
  const activity = new ActivityCounter(10);
  const resolved = resolveOptions({ database: 'postgres://nowhere/', ...options });
  const position = () => '0.0.0';
  const hub = new Hub({ ...resolved, position, activity });
  const streams = new Streams({
    options: resolved,
    hub,
    hooks: { beforeSend: undefined } as ConstructorParameters<typeof Streams>[0]['hooks'],
    resume: {} as Resume,
    activity,
    topics: new Topics({
      store: {} as TopicStore,
      hub,
      timeout: 1,
      logger: resolved.logger,
      time: () => 0,
    }),
    logger: resolved.logger,
    life: { unready: async () => undefined },
    source: { position: position(), epoch: 'e', time: 0 },
  });
  const texts: (() => string)[] = [];
  /** How long each may live: between these, as nobody knows the very moment at which it came. */
  const lives: { least: number; most: number }[] = [];
  for (let n = 0; n < CLIENTS; n += 1) {
    const incoming: Incoming = {
      method: 'GET',
      target: '/realtime/sse/',
      address: undefined,
      secure: false,
      context: {},
      login: undefined,
      header: () => undefined,
      request: () => new Request('http://localhost/realtime/sse/'),
      body: async () => 'taken',
    };
    const answer = await streams.respond(incoming);
    if ('status' in answer) throw new Error(`refused with ${answer.status}`);
    let text = '';
    texts.push(() => text);
    const connection = connectionTo((chunk) => {
      text += chunk;
    });
    const before = performance.now();
    const { expires } = answer.begin(connection) as Client;
    lives.push({ least: expires - performance.now(), most: expires - before });
  }
  const retries = () => texts.map((text) => Number([...text().matchAll(/^retry: (\d+)$/gm)].at(-1)![1]));
  return { hub, streams, retries, lives };
}

/**
 * The stretches of time, of a second or less, that have more or less than their share where all are equal. A deviation of
 * eight times the standard one does not come once in a million million runs.
 */
function uneven(times: number[], least: number, most: number): number[] {
  const stretches = Math.max(10, Math.ceil((most - least) / 1000));
  const counts = new Array<number>(stretches).fill(0);
  for (const time of times) {
    const place = Math.floor(((time - least) / (most - least)) * stretches);
    counts[Math.min(Math.max(place, 0), stretches - 1)]! += 1;
  }
  const share = 1 / stretches;
  const margin = 8 * Math.sqrt(times.length * share * (1 - share));
  return counts.filter((count) => Math.abs(count - times.length * share) > margin);
}

test('10,000 clients that come at once leave, and come back, spread evenly over their time', async (t) => {
  const lifetime = 100_000;
  const { hub, streams, retries, lives } = await connected({ lifetime, retry: 20_000 });

  // Each lives the first four fifths of the lifetime, and ends within the last.
  t.is(lives.length, CLIENTS);
  t.true(lives.every(({ least, most }) => most >= 0.8 * lifetime && least <= lifetime));
  t.deepEqual(
    uneven(
      lives.map(({ most }) => most),
      0.8 * lifetime,
      lifetime,
    ),
    [],
  );

  const told = (least: number, most: number) => {
    const all = retries();
    t.is(all.length, CLIENTS);
    t.true(all.every((retry) => retry >= least && retry <= most));
    t.deepEqual(uneven(all, least, most), []);
  };
  // For a connection that breaks: `retry`, and up to half as much more. In a deploy: half a second to five.
  told(20_000, 30_000);
  streams.stop();
  told(500, 5000);
  t.is(hub.size, 0);
});
