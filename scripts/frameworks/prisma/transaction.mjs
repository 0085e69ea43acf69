/** What a transaction of Prisma publishes, as test/publish/clients.test.ts has it for the other libraries. */
import assert from 'node:assert/strict';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';
import { createRealtime } from 'djr';
import { expectPublished } from 'djr/testing';

const connectionString = process.env.DATABASE_URL;
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString }) });
const realtime = createRealtime({ database: connectionString });
/** @type {() => Promise<{ id: number, user_id: string, type: string, detail: object }[]>} */
const events = () => prisma.$queryRawUnsafe('select id::int, user_id, type, detail from djr.event order by id');

/** @typedef {import('@prisma/client').Prisma.TransactionClient} Transaction */

/**
 * What is handed over: the transaction itself, or the line for it that other libraries need.
 * @type {((tx: Transaction) => import('djr').SqlClient)[]}
 */
const ways = [(tx) => tx, (tx) => ({ query: ({ text, values }) => tx.$queryRawUnsafe(text, ...values) })];

await prisma.$executeRawUnsafe('create table note (id serial primary key, text text not null)');
for (const [number, handOver] of ways.entries()) {
  const before = await events();
  const detail = { a: "it's", b: '$1 ? :x' };
  const id = await prisma.$transaction(async (/** @type {Transaction} */ tx) => {
    const client = handOver(tx);
    await tx.note.create({ data: { text: 'kept' } });
    const published = await realtime.publish({ userId: 'ada', type: 'kept', detail }, { client });
    await realtime.publish({ topic: 'room:7', type: 'kept_too', key: `key ${number}` }, { client });
    await realtime.publish({ scope: 'public', type: 'kept_three', privateData: { a: 1 } }, { client });
    await realtime.disconnect('bob', 'gone', { client });
    await realtime.recheck('bob', null, { client });
    await expectPublished(client, { userId: 'ada', type: 'kept' });
    assert.deepEqual(await events(), before, 'nobody sees it before the commit');
    return published;
  });
  const after = (await events()).slice(before.length);
  assert.deepEqual(
    after.slice(0, 3).map(({ type }) => type),
    ['kept', 'kept_too', 'kept_three'],
  );
  assert.deepEqual(after[0], { id, user_id: 'ada', type: 'kept', detail });

  const kept = await events();
  const lost = prisma.$transaction(async (/** @type {Transaction} */ tx) => {
    await tx.note.create({ data: { text: 'lost' } });
    await realtime.publish({ userId: 'ada', type: 'lost' }, { client: handOver(tx) });
    throw new Error('rolled back');
  });
  await assert.rejects(lost, /rolled back/);
  const broken = prisma.$transaction((/** @type {Transaction} */ tx) =>
    realtime.publish({ userId: 'ada', type: 'a type' }, { client: handOver(tx) }),
  );
  await assert.rejects(broken, { name: 'DjrError', code: 'DJR01' });
  assert.deepEqual(await events(), kept);
  assert.equal(await prisma.note.count(), number + 1);
}
await realtime.publish({ userId: 'ada', type: 'outside' }, { client: prisma });
assert.equal((await events()).at(-1)?.type, 'outside');

await realtime.stop();
await prisma.$disconnect();
process.stdout.write('passed\n');
