import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { startApp } from '../../helpers/server.js';
import type { Stream } from '../../helpers/stream.js';

/** All of them, and what reads them, are in this process: `npm run bench -- --scenario room-changes` has a thousand. */
const CLIENTS = Number(process.env.DJR_CLIENTS ?? 400);

test('Hundreds of clients that all change their room at once, each with a new stream from its last id, lose nothing and hear nothing of elsewhere', async (t) => {
  const { db, streamOf } = await startApp(t, { authorizeTopic: () => true, retry: 0 });
  const old = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => streamOf(`u${n}`, '?topic=room:old')));
  const witness = await streamOf('witness');
  const client = await db.connect();
  let published = 0;
  let moving = true;
  const publishing = (async () => {
    while (moving) {
      published += 1;
      await client.query(
        `select djr.publish_topic('room:old', 'o' || $1), djr.publish_topic('room:new', 'n' || $1), djr.publish_public('p' || $1)`,
        [published],
      );
      // Enough for events to come in between. No faster than they are read here: else a slow machine does nothing else.
      await witness.event(`p${published}`);
      await setTimeout(100);
    }
  })();
  await Promise.all(old.map((stream) => stream.event('p1')));
  const began = performance.now();
  let standing = 0;
  const moved = await Promise.all(
    old.map(async (stream, n): Promise<[Stream, Stream]> => {
      const { lastEventId } = stream;
      const next = await streamOf(`u${n}`, '?topic=room:new', { lastEventId }).catch((error: Error) => {
        throw new Error(`client ${n}, when ${standing} of ${CLIENTS} stood: ${error.message}`);
      });
      standing += 1;
      stream.close();
      return [stream, next];
    }),
  );
  t.log(`${Math.round(performance.now() - began)} ms for ${CLIENTS} moves`);
  moving = false;
  await publishing;
  const failed = moved.flatMap(([, { ended, status }]) =>
    status === 200 && !ended ? [] : [`${status}, ended: ${ended}`],
  );
  t.deepEqual(failed, [], 'every new stream stands');
  await db.query(`select djr.publish_public('end')`);
  for (const [before, after] of moved) {
    await after.event('end');
    const types = [...before.types, ...after.types].map(String);
    const publics = new Set(types.filter((type) => type.startsWith('p')));
    t.is(publics.size, published, 'what is for everybody comes without a gap');
    t.false(before.types.some((type) => String(type).startsWith('n')));
    t.false(after.types.some((type) => String(type).startsWith('o')));
    // Of the new room, all from its first on: without a gap.
    const numbers = after.types.map(String).flatMap((type) => (type.startsWith('n') ? [Number(type.slice(1))] : []));
    t.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, k) => published - numbers.length + 1 + k),
    );
  }
});
