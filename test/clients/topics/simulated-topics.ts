import { createHash } from 'node:crypto';
import { mock } from 'node:test';
import type { ExecutionContext } from 'ava';
import { ActivityCounter } from '../../../src/activity/counter.js';
import type { ClientOptions } from '../../../src/clients/client.js';
import { Hub } from '../../../src/clients/hub.js';
import type { Revocation, SealKey } from '../../../src/clients/topics/seal.js';
import type { Answers, Question, TopicStore } from '../../../src/clients/topics/topic-store.js';
import { Topics, type TopicsOptions } from '../../../src/clients/topics/topics.js';
import { EVERYBODY, topicAudience, userAudience } from '../../../src/event/audience.js';
import { Envelope } from '../../../src/event/envelope.js';
import { recordingLogger } from '../../helpers/server.js';
import { openClient } from '../open-client.js';

export const KEY: SealKey = { id: '0a1b2c3d', inner: Buffer.alloc(64, 1), outer: Buffer.alloc(64, 2) };
export const OTHER: SealKey = { id: 'ffffffff', inner: Buffer.alloc(64, 3), outer: Buffer.alloc(64, 4) };
/** Now, by the database's clock. */
export const NOW = 1_000_000;

/** What `djr.seal` makes with a key, in a snapshot that sees what is below transaction 10. */
export function sealOf(topics: string | string[], userId: string | null, ends = 2000, key = KEY): string {
  const content = Buffer.from(JSON.stringify([topics, userId, ends, '10:10:'])).toString('base64url');
  const text = `djr1.${key.id}.${content}`;
  const hash = (pad: Buffer, data: Buffer | string) => createHash('sha256').update(pad).update(data).digest();
  return `${text}.${hash(key.outer, hash(key.inner, text)).toString('base64url')}`;
}

/** Topics whose database and app are the test. */
export function openTopics(options: Partial<TopicsOptions> = {}) {
  const said = {
    keys: [KEY],
    revocations: [] as Revocation[],
    reads: 0,
    asked: [] as Question[][],
    authorize: async (questions: readonly Question[]): Promise<Answers> => ({
      allowed: questions.map(() => false),
      failure: null,
    }),
    presence: [] as unknown[],
  };
  const store: TopicStore = {
    async permissions() {
      said.reads += 1;
      return { keys: said.keys, revocations: said.revocations };
    },
    async authorize(questions) {
      said.asked.push([...questions].map(({ userId, topic }) => ({ userId, topic })));
      return said.authorize(questions);
    },
  };
  const hub = new Hub({
    heartbeat: 60_000,
    writeTimeout: 60_000,
    position: () => 'p',
    activity: new ActivityCounter(10),
  });
  const { logger, lines } = recordingLogger();
  const presence = {
    users: 3,
    came: () => said.presence.push('came'),
    went: () => said.presence.push('went'),
    left: (_: unknown, topic: string) => said.presence.push(`left ${topic}`),
  };
  const topics = new Topics({
    store,
    hub,
    presence: presence as never,
    timeout: 1000,
    logger,
    time: () => NOW,
    ...options,
  });
  return { topics, hub, said, lines };
}

/** A client of a user in these topics, and what it was written. */
export function enter(hub: Hub, userId: string | null, names: string[]) {
  const audiences = [EVERYBODY, ...(userId === null ? [] : [userAudience(userId)]), ...names.map(topicAudience)];
  const reasons: string[] = [];
  const onClose: ClientOptions['onClose'] = (client, reason) => {
    reasons.push(reason);
    hub.leave(client);
  };
  const opened = openClient({ userId, audiences, onClose });
  const texts: string[] = [];
  opened.connection.write = (chunk) => Boolean(texts.push(`${chunk}`));
  hub.admit(opened.client);
  hub.join(opened.client);
  return { ...opened, texts, reasons };
}

/** A clock that the test moves. */
export function clock(t: ExecutionContext) {
  let at = 1000;
  const now = mock.method(performance, 'now', () => at);
  t.teardown(() => now.mock.restore());
  return (milliseconds: number) => {
    at += milliseconds;
  };
}

/** An order of the database. */
export const order = (type: string, userId: string | null, detail: object = {}) =>
  new Envelope(1, 1, 'control', userId, type, 0, JSON.stringify(detail));
