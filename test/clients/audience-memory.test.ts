import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { AudienceIndex } from '../../src/clients/audience-index.js';
import { Client } from '../../src/clients/client.js';
import { EVERYBODY, topicAudience, userAudience } from '../../src/event/audience.js';
import { connectionTo } from '../helpers/connection.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const COUNT = 4000;
const connection = connectionTo(() => {});
const request = () => new Request('http://localhost/');
const nothing = () => {};

function clientWith(n: number, topics: string[]): Client {
  return new Client({
    userId: null,
    audiences: [EVERYBODY, userAudience(`user-${n}`), ...topics.map(topicAudience)],
    connection,
    incoming: { request },
    types: null,
    named: false,
    maxBytes: 1024,
    beforeSend: undefined,
    onSent: nothing,
    onClose: nothing,
  });
}

/** Bytes in memory; what tables have outgrown is freed by another thread, a moment after a collection. */
async function used(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collect();
    await setTimeout(20);
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes that a client of so many takes beside its connection. */
async function bytesEach(topicsOf: (n: number) => string[]): Promise<number> {
  const before = await used();
  const index = new AudienceIndex();
  const clients = Array.from({ length: COUNT }, (_, n) => clientWith(n, topicsOf(n)));
  for (const client of clients) index.add(client);
  const bytes = (await used()) - before;
  return index.topics >= 0 ? bytes / clients.length : 0;
}

const fifty = Array.from({ length: 50 }, (_, k) => k);

test('Fifty topics cost a client less than 2 kB, whether others hear them or not', async (t) => {
  // What is compiled and cached at the first time is no client's.
  await bytesEach((n) => fifty.map((k) => `room:${n}-${k}`));
  const none = await bytesEach(() => []);
  const own = await bytesEach((n) => fifty.map((k) => `room:${n}-${k}`));
  const shared = await bytesEach((n) => fifty.map((k) => `room:${(n * 7 + k) % 1000}`));
  t.log(`of one's own ${Math.round(own - none)}, shared ${Math.round(shared - none)}`);
  t.true(own - none < 2000);
  t.true(shared - none < 2000);
});
