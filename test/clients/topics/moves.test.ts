import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { startApp } from '../../helpers/server.js';
import type { Stream } from '../../helpers/stream.js';

const CLIENTS = 500;

test('Hundreds of clients that all change their room at once, each with a new stream from its last id, lose nothing and hear nothing of elsewhere', async (t) => {
  const { db, streamOf } = await startApp(t, { authorizeTopic: () => true, retry: 0 });
  const old = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => streamOf(`u${n}`, '?topic=room:old')));
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
      // Enough for events to come in between; as fast as it goes would be about publishing.
      await setTimeout(100);
    }
  })();
  await Promise.all(old.map((stream) => stream.event('p1')));
  const began = performance.now();
  const moved = await Promise.all(
    old.map(async (stream, n): Promise<[Stream, Stream]> => {
      const { lastEventId } = stream;
      const next = await streamOf(`u${n}`, '?topic=room:new', { lastEventId });
      stream.close();
      return [stream, next];
    }),
  );
  t.log(`${Math.round(performance.now() - began)} ms for ${CLIENTS} moves`);
  moving = false;
  await publishing;
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
