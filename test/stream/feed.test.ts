import test from 'ava';
import fc from 'fast-check';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Feed } from '../../src/stream/feed.js';
import { cases } from '../helpers/fuzz.js';

const event = (id: number, xid: number | null): Envelope => new Envelope(id, xid, 'public', null, 'note', 0, '{}');

test('what is heard while the first sweep runs is delivered right behind it, and what it read is not again', async (t) => {
  const got: number[] = [];
  const feed = new Feed({
    maxWaiting: 10,
    turnBytes: 1000,
    onFailed: () => t.fail(),
    deliver: ({ id }) => void got.push(id),
    onLost: () => t.fail(),
  });
  feed.startAt(new Frontier('e', 1, 10, 10, []));
  feed.beginSweep(true);
  feed.receive([event(3, 12), event(2, 11)]);
  await feed.sweep([event(1, 10), event(2, 11)]);
  feed.endSweep(new Frontier('e', 2, 12, 12, []), true);
  t.deepEqual(got, [1, 2, 3]);

  // LISTEN lost while the sweep runs: nobody knows what was not heard.
  feed.beginSweep(true);
  feed.receive([event(4, 13)]);
  feed.close();
  feed.endSweep(new Frontier('e', 3, 13, 13, []), true);
  feed.receive([event(5, 14)]);
  t.deepEqual(got, [1, 2, 3, 4]);
});

test('an event without a row that is heard before the stream has a beginning waits for it, within the bound', (t) => {
  const got: number[] = [];
  const lost: number[] = [];
  const feed = new Feed({
    maxWaiting: 2,
    turnBytes: 1000,
    onFailed: () => t.fail(),
    deliver: ({ id }) => void got.push(id, feed.reached.xmin),
    onLost: ({ id }) => lost.push(id),
  });
  feed.receive([1, 2, 3].map((id) => event(id, null)));
  t.deepEqual(got, []);
  feed.startAt(new Frontier('e', 1, 10, 10, []));
  feed.receive([event(4, null)]);
  t.deepEqual(got, [1, 10, 2, 10, 4, 10]);
  t.deepEqual(lost, [3]);
});

test('What is heard passes nothing that committed before it, when delivery goes over to sweeping and back, too', async (t) => {
  // Publishers notify in the mode that they read when they insert; a sweep reads the mode a moment after its snapshot.
  const step = fc.record({
    what: fc.oneof(
      { arbitrary: fc.constantFrom('begin', 'commit'), weight: 12 },
      { arbitrary: fc.constantFrom('sweep', 'end'), weight: 10 },
      { arbitrary: fc.constantFrom('to sweep', 'to notify', 'late', 'release'), weight: 3 },
    ),
    pick: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
      const got: number[] = [];
      let held: (() => void)[] | undefined;
      const feed = new Feed({
        maxWaiting: 3,
        turnBytes: 1000,
        onFailed: () => t.fail(),
        deliver: ({ id }) => {
          got.push(id);
          return held ? new Promise<void>((resolve) => held!.push(resolve)) : undefined;
        },
        onLost: () => t.fail(),
      });
      const release = () => {
        const waiting = held;
        held = undefined;
        for (const resolve of waiting ?? []) resolve();
      };
      let mode = 'notify' as 'notify' | 'sweep';
      /** Times that delivery went over to sweeping, and which of them a sweep has read. */
      let turn = 0;
      const learned = new Set<number>();
      let nextXid = 10;
      const open: { envelope: Envelope; notifies: boolean; turn: number }[] = [];
      const committed: Envelope[] = [];
      /** No order can be kept for what was published unheard before any sweep could know that it would be. */
      const excused = new Set<number>();
      const byNotify = new Set<number>();
      const snapshot = () => {
        const running = open.map(({ envelope }) => envelope.xid!).sort((a, b) => a - b);
        return new Frontier('e', 0, running[0] ?? nextXid, nextXid, running);
      };
      let sweep: { frontier: Frontier; rows: Envelope[]; mode: typeof mode; turn: number } | undefined;
      const begin = () => {
        feed.beginSweep(true);
        sweep = { frontier: snapshot(), rows: committed.filter(({ xid }) => feed.frontier!.isNew(xid!)), mode, turn };
      };
      const end = async () => {
        const { rows, frontier, mode: read, turn: at } = sweep!;
        sweep = undefined;
        release();
        await feed.settled();
        for (const row of rows) await feed.sweep([row]);
        feed.endSweep(frontier, read === 'notify');
        if (read === 'sweep') learned.add(at);
      };
      feed.startAt(snapshot());
      begin();
      await end();
      for (const { what, pick } of steps) {
        if (what === 'begin') {
          open.push({ envelope: event(nextXid, nextXid), notifies: mode === 'notify', turn });
          nextXid += 1;
        } else if (what === 'commit' && open.length > 0) {
          const [{ envelope, notifies, turn: at }] = open.splice(pick % open.length, 1) as [(typeof open)[0]];
          committed.push(envelope);
          if (notifies) {
            byNotify.add(envelope.id);
            feed.receive([envelope]);
          } else if (!learned.has(at)) excused.add(envelope.id);
        } else if (what === 'sweep' && !sweep) begin();
        else if (what === 'end' && sweep) await end();
        else if (what === 'to sweep' && mode === 'notify') {
          mode = 'sweep';
          turn += 1;
        } else if (what === 'to notify') {
          mode = 'notify';
          if (sweep && pick % 2) sweep.mode = mode;
        } else if (what === 'late') held ??= [];
        else if (what === 'release') {
          release();
          await feed.settled();
        }
      }
      release();
      while (open.length > 0) committed.push(open.pop()!.envelope);
      for (let i = 0; i < 2; i += 1) {
        if (!sweep) begin();
        await end();
      }
      await feed.settled();
      const place = new Map(got.map((id, i) => [id, i]));
      t.is(got.length, committed.length);
      t.is(place.size, committed.length);
      for (const [i, later] of committed.entries()) {
        if (!byNotify.has(later.id)) continue;
        for (const { id } of committed.slice(0, i)) {
          // A sweep's own order is that of transactions: only what was found behind the later one is wrong.
          const passed = place.get(id)! > place.get(later.id)! && id < later.id;
          if (!excused.has(id)) t.false(passed, `${later.id} passed ${id}`);
        }
      }
    }),
    cases(1000),
  );
  t.pass();
});
