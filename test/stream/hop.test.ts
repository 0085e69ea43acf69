import test from 'ava';
import pg from 'pg';
import { createDatabase } from '../helpers/database.js';
import { startApp } from '../helpers/server.js';
import { Random } from '../torture/random.js';

/** No sweep comes by itself: what one instance's fast lane has brought is ahead of every frontier. */
const FAST_LANE_ALONE = { sweepInterval: 3_600_000 };

test('A bare reader that hops between two instances gets each event once, whatever is open meanwhile', async (t) => {
  const db = await createDatabase(t);
  const apps = await Promise.all([startApp(t, FAST_LANE_ALONE, db), startApp(t, FAST_LANE_ALONE, db)]);
  const random = new Random(20_242);
  const open: pg.Client[] = [];
  t.teardown(() => Promise.all(open.map((client) => client.end())));
  let n = 0;
  const publish = async (query: (text: string, values: unknown[]) => Promise<unknown>) => {
    n += 1;
    const user = random.pick(['ann', 'bob', null]);
    const text =
      user === null
        ? "select djr.publish_global('note', jsonb_build_object('n', $1::int)), $2::text"
        : "select djr.publish($2::text, 'note', jsonb_build_object('n', $1::int))";
    await query(text, [n, user]);
    return { n, user };
  };
  const readers = ['ann', 'bob'].map((user) => ({ user, at: 0, lastEventId: '', got: [] as number[], owed: 0 }));
  const streams = await Promise.all(readers.map(({ user }) => apps[0]!.streamOf(user)));
  let waiting: { client: pg.Client; user: string | null }[] = [];
  for (let round = 0; round < 40; round += 1) {
    const owe = (user: string | null) => {
      for (const reader of readers) if (user === null || user === reader.user) reader.owed += 1;
    };
    // Some are published at once, others in transactions that end some hops later, in another order.
    for (let i = random.between(0, 4); i > 0; i -= 1)
      owe((await publish((text, values) => db.query(text, values))).user);
    if (random.chance(0.4) && waiting.length < 5) {
      const client = new pg.Client(db.url);
      await client.connect();
      open.push(client);
      await client.query('begin');
      waiting.push({ client, user: (await publish((text, values) => client.query(text, values))).user });
    }
    if (random.chance(0.4) && waiting.length > 0) {
      const { client, user } = random.pick(waiting);
      waiting = waiting.filter((one) => one.client !== client);
      await client.query('commit');
      owe(user);
    }
    for (const [i, reader] of readers.entries()) {
      const stream = streams[i]!;
      await stream.until('what is owed', () => reader.got.length + stream.events.length >= reader.owed);
      if (!random.chance(0.7)) continue;
      reader.got.push(...stream.events.map(({ data }) => Number(data.n)));
      reader.at = 1 - reader.at;
      stream.close();
      streams[i] = await apps[reader.at]!.streamOf(reader.user, '', { lastEventId: stream.lastEventId });
    }
  }
  for (const [i, reader] of readers.entries()) {
    const stream = streams[i]!;
    await apps[reader.at]!.realtime.publish({ scope: 'public', type: 'end' });
    await stream.event('end');
    reader.got.push(...stream.events.map(({ data }) => Number(data.n)).filter((value) => !Number.isNaN(value)));
    const all = reader.got;
    t.is(new Set(all).size, all.length, `${reader.user} got each once`);
    t.is(all.length, reader.owed, `${reader.user} got all`);
  }
});
