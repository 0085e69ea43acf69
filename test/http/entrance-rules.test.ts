import { mock } from 'node:test';
import test from 'ava';
import type { Client } from '../../src/clients/client.js';
import type { Place } from '../../src/http/guards/admission.js';
import { type Admitted, Entrance } from '../../src/http/guards/entrance.js';
import { interestIn } from '../../src/http/guards/interest.js';
import type { Incoming } from '../../src/http/incoming.js';
import { problem, type Reply } from '../../src/http/reply.js';
import { parseQuery } from '../../src/http/stream-query.js';
import { openClient } from '../clients/open-client.js';
import { recordingLogger } from '../helpers/server.js';

const HEARD = { topics: new Map([['room:7', Number.POSITIVE_INFINITY]]), refused: new Map() };

/** An entrance whose users, topics and streams are the test's; each user may have one stream. */
function open(options: object = {}) {
  const { logger, lines } = recordingLogger();
  const said = {
    unready: undefined as string | undefined,
    /** Whether an order concerns the user, at each of the next looks. */
    concerned: [] as boolean[],
    heard: async (..._: unknown[]) => HEARD,
    clients: [] as Client[],
  };
  const entrance = new Entrance({
    options: {
      maxConnections: 100,
      maxConnectionsPerUser: 1,
      maxConnectionsPerAddress: 0,
      hookTimeout: 20,
      ...options,
    },
    hub: { clientsOf: () => said.clients },
    topics: {
      heard: (...values: unknown[]) => said.heard(...values),
      concerned: () => said.concerned.shift() ?? false,
    },
    logger,
    life: { unready: async () => said.unready },
  } as unknown as ConstructorParameters<typeof Entrance>[0]);
  const incoming = (login?: object) =>
    ({
      login,
      address: undefined,
      context: {},
      request: () => new Request('http://localhost/'),
    }) as unknown as Incoming;
  const query = parseQuery('/sse?topic=room:7&seal=s')!;
  const admit = async (userId: string | null) => {
    const place = entrance.enter(incoming()) as Place;
    const answer = (await entrance.admit(incoming({ userId }), query, place)) as Admitted & Reply;
    return { answer, place, retry: answer.headers?.['Retry-After'], text: `${answer.body ?? ''}` };
  };
  return { entrance, lines, said, incoming, admit };
}

test('Whoever is let in has a user, its topics and a place; a refusal has none of them', async (t) => {
  const { entrance, admit, said } = open();
  const asked: unknown[] = [];
  said.heard = async (...values) => {
    asked.push(...values);
    return HEARD;
  };
  const began = performance.now();
  const { answer, place } = await admit('ada');
  t.like(answer, { userId: 'ada', expires: Number.POSITIVE_INFINITY, heard: HEARD });
  t.true(answer.began >= began && answer.began <= performance.now());
  t.deepEqual(asked, ['ada', ['room:7'], ['s']]);
  t.is(entrance.places, 1);
  place.leave();
  t.is(entrance.places, 0);
  const refused = await admit('');
  t.is(refused.answer.status, 401);
  t.false('heard' in refused.answer);
});

test('While the instance is not ready, or permissions cannot be read, the client is to try again', async (t) => {
  const { admit, said, lines } = open();
  said.unready = 'The database cannot be reached.';
  const { answer, retry, text } = await admit('ada');
  t.is(answer.status, 503);
  t.is(retry, '2');
  t.regex(text, /The database cannot be reached/);
  said.unready = undefined;
  said.heard = async () => {
    throw new Error('no connection');
  };
  const failed = await admit('ada');
  t.is(failed.answer.status, 503);
  t.is(failed.retry, '2');
  t.deepEqual(
    lines.map(({ level, context }) => [level, (context.err as Error).message]),
    [['error', 'no connection']],
  );
});

test('Whom an order concerned meanwhile is asked again, thrice at most', async (t) => {
  const { admit, said } = open({ maxConnectionsPerUser: 10 });
  said.concerned = [true, true];
  t.is((await admit('ada')).answer.userId, 'ada');
  said.concerned = [true, true, true];
  const { answer, retry } = await admit('ada');
  t.is(answer.status, 503);
  t.is(retry, '1');
});

test('An instance that stops lets nobody in, nor who is on the way', async (t) => {
  const { entrance, admit, said, incoming } = open();
  t.is(entrance.refusal, undefined);
  said.heard = async () => {
    entrance.close();
    return HEARD;
  };
  const { answer, retry, place } = await admit('ada');
  t.is(answer.status, 503);
  t.is(retry, '1');
  t.is((entrance.enter(incoming()) as Reply).status, 503);
  t.is(entrance.refusal?.status, 503);
  let empty = false;
  const emptied = entrance.emptied(60_000).then(() => {
    empty = true;
  });
  await Promise.resolve();
  t.false(empty);
  place.leave();
  await emptied;
});

test('A user with all streams has one ended for a new one: one that does not read, else the oldest', async (t) => {
  const { admit, said, lines } = open({ maxConnectionsPerUser: 3 });
  const texts: string[] = [];
  const client = async (opened: number, stalled: boolean) => {
    const { place } = await admit('ada');
    const one = openClient({ place });
    one.connection.write = (chunk) => Boolean(texts.push(`${chunk}`));
    Object.assign(one.client, { opened, stalledSince: stalled ? 1 : undefined });
    const { close } = one.client;
    one.client.close = (...values) => {
      close.apply(one.client, values);
      place.release();
    };
    return one;
  };
  const [young, old, stalled] = [await client(30, false), await client(10, false), await client(20, true)];
  said.clients = [stalled.client, young.client, old.client];
  t.is((await admit('bob')).answer.userId, 'bob', 'another user has places of its own');
  t.is((await admit(null)).answer.userId, null);
  t.deepEqual(
    [young, old, stalled].flatMap(({ closed }) => closed),
    [],
  );
  t.is((await admit('ada')).answer.userId, 'ada');
  t.deepEqual([young.closed, old.closed, stalled.closed], [[], [], ['replaced']]);
  const wait = Number(/retry: (\d+)/.exec(texts[0]!)![1]);
  t.true(wait >= 30_000 && wait <= 60_000, `${wait}`);
  said.clients = [old.client, young.client];
  t.is((await admit('ada')).answer.userId, 'ada');
  t.deepEqual([young.closed, old.closed], [[], ['replaced']]);
  said.clients = [old.client, young.client].map((one) => Object.assign(one, { stalledSince: 1 }));
  t.like(lines[0], { level: 'warn', context: { user: 'ada' } });
  said.clients = [];
  const { answer, retry } = await admit('ada');
  t.is(answer.status, 429, 'there is none to be ended');
  t.is(retry, '10');
});

test('Of a user’s streams the one that is ended does not depend on their order: one that does not read, of several the oldest', async (t) => {
  for (const [streams, expected] of [
    [['1 reads', '2 reads', '3 reads'], '1 reads'],
    [['1 reads', '2 stalled', '3 reads'], '2 stalled'],
    [['1 reads', '2 stalled', '3 stalled'], '2 stalled'],
    [['1 stalled', '2 stalled', '3 reads'], '1 stalled'],
  ] as const) {
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const) {
      const { admit, said } = open();
      await admit('ada');
      const opened = order.map((place) => {
        const [since, state] = streams[place].split(' ');
        const one = openClient();
        Object.assign(one.client, { opened: Number(since), stalledSince: state === 'stalled' ? 1 : undefined });
        return { ...one, name: streams[place] };
      });
      said.clients = opened.map(({ client }) => client);
      await admit('ada');
      t.deepEqual(
        opened.filter(({ closed }) => closed.length > 0).map(({ name }) => name),
        [expected],
      );
    }
  }
});

test.serial(
  'A user whose streams keep replacing one another is refused in the end, and a stream that keeps its place does not help',
  async (t) => {
    const now = mock.method(performance, 'now', () => 1000);
    t.teardown(() => now.mock.restore());
    const { admit, said } = open();
    let { place } = await admit('ada');
    const replace = async () => {
      const { client } = openClient({ onClose: () => place.release() });
      said.clients = [client];
      const next = await admit('ada');
      if (next.answer.userId === 'ada') place = next.place;
      return next.answer.status ?? 200;
    };
    const statuses: number[] = [];
    for (let n = 0; n < 31; n += 1) statuses.push(await replace());
    t.deepEqual(statuses, [...Array.from({ length: 30 }, () => 200), 429]);
    now.mock.mockImplementation(() => 61_000);
    t.is(await replace(), 200);
    said.clients = [openClient().client];
    t.is((await admit('ada')).answer.status, 429);
  },
);

test('A source is asked for a client’s events, told when a stream does not begin, and not asked where all come anyway', async (t) => {
  const asked: unknown[] = [];
  const ended: string[] = [];
  const source = {
    interest: async (audiences: Iterable<string>) => {
      asked.push([...audiences]);
      return () => void ended.push('ended');
    },
  };
  t.is(
    await interestIn(
      {},
      () => t.fail() as never,
      () => undefined,
    ),
    undefined,
  );
  const end = await interestIn(
    source,
    () => ['*'],
    () => undefined,
  );
  t.deepEqual([asked, ended], [[['*']], []]);
  (end as () => void)();
  t.deepEqual(ended, ['ended']);
  const refusal = problem(503, 'stopping');
  t.is(
    await interestIn(
      source,
      () => ['*'],
      () => refusal,
    ),
    refusal,
  );
  t.is(ended.length, 2);
  const failed = await interestIn(
    { interest: () => Promise.reject(new Error('away')) },
    () => ['*'],
    () => undefined,
  );
  t.like(failed, { status: 503 });
  t.is((failed as Reply).headers['Retry-After'], '2');
});
