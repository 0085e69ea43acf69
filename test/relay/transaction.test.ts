import test from 'ava';
import fc from 'fast-check';
import { earlierOf, Transaction, UNNAMED } from '../../src/relay/transaction.js';
import { cases } from '../helpers/fuzz.js';
import { EdgeWorld } from './edge-world.js';
import { settle, startWorld, subjects, type World } from './world.js';

test('An event names the last one of each other audience that its transaction had before it', (t) => {
  const transaction = new Transaction(7, true);
  t.is(transaction.add(10, 111), undefined);
  t.is(transaction.add(11, 111), undefined);
  t.deepEqual(earlierOf(transaction.add(12, 222), 12), [{ sequence: 11, hash: 111 }]);
  // A checkpoint lies in between.
  t.deepEqual(earlierOf(transaction.add(14, 333), 14), [
    { sequence: 11, hash: 111 },
    { sequence: 12, hash: 222 },
  ]);
  t.deepEqual(earlierOf(transaction.add(15, 111), 15), [
    { sequence: 12, hash: 222 },
    { sequence: 14, hash: 333 },
  ]);
});

test('Where there are more audiences than a message names, or an earlier writer may have had some, it says so', (t) => {
  const large = new Transaction(7, true);
  const said = Array.from({ length: 40 }, (_, i) => large.add(i + 1, i + 2));
  t.is(said.indexOf(UNNAMED), 17);
  t.true(said.slice(17).every((text) => text === UNNAMED));
  t.true(said.every((text) => (text ?? '').length < 200));
  t.is(new Transaction(7, false).add(1, 2), UNNAMED);
  t.is(earlierOf(UNNAMED, 1), undefined);
  t.deepEqual(earlierOf(undefined, 1), []);
});

/** One transaction for these, in the log and heard; the clock of the source stands still. */
async function commit(world: World, audiences: readonly string[]): Promise<void> {
  world.database.publish(...audiences);
  world.database.commit(0);
  world.sources[0]!.hear(0);
  await settle();
  while (world.log.pending.length > 0) world.log.take();
  await settle();
}

async function startOwn(t: { teardown(end: () => unknown): void }, ...users: string[]) {
  const world = await startWorld(1);
  t.teardown(() => world.end());
  const edge = new EdgeWorld(world.database, world.log, 'own');
  t.teardown(() => edge.end());
  await edge.look();
  void edge.stream.interest(users.map((user) => `u:${user}`));
  await settle();
  // The first transaction of a writer may be the rest of one.
  await commit(world, ['nobody']);
  return { world, edge };
}

test('An event waits for an earlier one of its transaction whose copy was lost, and for nobody else', async (t) => {
  const { edge, world } = await startOwn(t, 'ann', 'bob');
  edge.isLost = ({ subject }) => subject === subjects.event(edge.stream.follower.at!.generation, 'u:ann');
  await commit(world, ['nobody', 'ann', 'bob']);
  t.deepEqual(edge.ids, []);
  await world.heal();
  t.deepEqual(edge.ids.slice(-2), [4, 5]);
  await commit(world, ['nobody', 'bob']);
  t.is(edge.ids.at(-1), 7);
});

test('The events of a transaction for a hundred users come at once, with a checkpoint behind them', async (t) => {
  const { edge, world } = await startOwn(t, 'user 3', 'user 99');
  const { sequence } = edge.stream.follower.at!;
  await commit(
    world,
    Array.from({ length: 100 }, (_, i) => `user ${i}`),
  );
  t.is(edge.stream.follower.at!.sequence, sequence + 101);
  t.deepEqual(edge.ids.slice(-2), [3 + 3, 3 + 99]);
  t.is(edge.stream.follower.holes, 0);
});

const anyTransaction = fc.record({
  audiences: fc.array(fc.constantFrom('ann', 'bob', 'public', 'nobody', 'somebody'), { minLength: 1, maxLength: 25 }),
  lost: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
});

test('Whatever copies are lost, an edge with its own subjects delivers all of each transaction, in the order in which it was published', async (t) => {
  const check = async (transactions: readonly { audiences: string[]; lost: boolean[] }[]) => {
    const { edge, world } = await startOwn(t, 'ann', 'bob');
    const own: number[] = [];
    for (const { audiences, lost } of transactions) {
      edge.isLost = ({ sequence }) => lost[sequence % 3]!;
      await commit(world, audiences);
      const first = 3 + world.database.committed.length - audiences.length - 2;
      for (const [i, audience] of audiences.entries()) if (!/body/.test(audience)) own.push(first + i);
    }
    edge.isLost = () => false;
    await world.heal();
    await edge.look();
    const { ids } = edge;
    t.deepEqual(
      [...ids].sort((a, b) => a - b),
      own,
    );
    const xids = new Map(edge.history.all().map(({ envelope }) => [envelope.id, envelope.xid]));
    for (const [i, id] of ids.entries()) {
      const before = ids.slice(0, i).filter((other) => xids.get(other) === xids.get(id));
      t.true(
        before.every((other) => other < id),
        `${id} came behind ${before}`,
      );
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(anyTransaction, { minLength: 1, maxLength: 8 }), check), cases(25));
});

test('Transactions for more audiences than are named share a checkpoint while the engine has not acknowledged what is before it', async (t) => {
  const world = await startWorld(1);
  t.teardown(() => world.end());
  const before = world.log.messages.length;
  const audiences = Array.from({ length: 20 }, (_, i) => `user ${i}`);
  for (let n = 0; n < 5; n += 1) {
    world.database.publish(...audiences);
    world.database.commit(0);
    world.sources[0]!.hear(0);
    await settle();
  }
  for (let taken = 0; taken < 200; taken += 1) {
    world.log.take();
    await settle();
  }
  const kinds = world.log.messages.slice(before).map(({ subject }) => subjects.parse(subject)!.kind);
  t.is(kinds.filter((kind) => kind === 'event').length, 100);
  // That of the first, and one for all that came meanwhile.
  t.is(kinds.filter((kind) => kind === 'checkpoint').length, 2);
  t.is(kinds.at(-1), 'checkpoint');
});
