import test from 'ava';
import fc from 'fast-check';
import { EVERYBODY, userAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Backlog, needOf, type Recent, unavailable } from '../../src/stream/resume/backlog.js';
import { cases } from '../helpers/fuzz.js';

interface Stored {
  xid: number;
  time: number;
  user: string | null;
}

const stored = fc.record({
  xid: fc.integer({ min: 1, max: 40 }),
  time: fc.integer({ min: 1, max: 100 }),
  user: fc.constantFrom(null, 'a', 'b'),
});

const frontier = fc
  .record({
    xmin: fc.integer({ min: 1, max: 40 }),
    span: fc.integer({ min: 0, max: 12 }),
    open: fc.uniqueArray(fc.nat(11), { maxLength: 4 }),
    time: fc.integer({ min: 1, max: 100 }),
  })
  .map(({ xmin, span, open, time }) => {
    const inProgress = open.filter((n) => n < span).sort((a, b) => a - b);
    return new Frontier(
      'e',
      time,
      xmin,
      xmin + span,
      inProgress.map((n) => xmin + n),
    );
  });

/** What storage would bring: as Store#readRecent says, with room for so many. */
function read(events: Envelope[], need: ReturnType<typeof needOf>, startedAt: number, room: number): Recent {
  const state = { frontier: new Frontier('e', 1000, 50, 50, []), storage: true, startedAt, prunedXid: 0 };
  const isOlder = ({ xid, createdAt }: Envelope) =>
    xid! < need.xmax && (need.inProgress.has(xid!) || (startedAt > need.time && createdAt >= need.time));
  const older = events.filter(isOlder);
  const newer = events.filter(({ xid }) => xid! >= need.xmax).sort((a, b) => b.xid! - a.xid! || b.id - a.id);
  const all = [...older, ...newer];
  if (all.length <= room) return { ...state, envelopes: all, completeFrom: need.xmax };
  const last = all[room - 1]!.xid!;
  const completeFrom = last < need.xmax ? Number.POSITIVE_INFINITY : last + 1;
  return { ...state, envelopes: all.slice(0, room), completeFrom };
}

const audiencesOf = (userId: string | null) => (userId === null ? [EVERYBODY] : [EVERYBODY, userAudience(userId)]);

test('A backlog that covers a frontier has all that is new since it, in order, and nobody else’s', (t) => {
  let covered = 0;
  fc.assert(
    fc.property(
      fc.array(stored, { maxLength: 30 }),
      fc.array(frontier, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 40 }),
      (rows: Stored[], frontiers: Frontier[], startedAt: number, room: number) => {
        const events = rows.map(
          ({ xid, time, user }, i) =>
            new Envelope(i + 1, xid, user === null ? 'public' : 'user', user, 't', time, '{}'),
        );
        const need = needOf(frontiers.slice(0, -1).length > 0 ? frontiers.slice(0, -1) : frontiers);
        const recent = read(events, need, startedAt, room);
        const backlog = new Backlog(need, 0, recent, recent.envelopes);
        for (const since of frontiers) {
          const complete = recent.completeFrom === need.xmax;
          // All who asked are served, where there was room.
          if (complete && since !== frontiers.at(-1)) t.true(backlog.covers(since));
          if (!backlog.covers(since)) continue;
          covered += 1;
          for (const userId of [null, 'a', 'b']) {
            const expected = events
              .filter(({ userId: owner }) => owner === null || owner === userId)
              .filter((e) => since.isNew(e.xid!) || (startedAt > since.time && e.createdAt >= since.time))
              .sort((x, y) => x.xid! - y.xid! || x.id - y.id);
            t.deepEqual(
              backlog.since(since, audiencesOf(userId)).map(({ envelope }) => envelope.id),
              expected.map(({ id }) => id),
            );
          }
        }
      },
    ),
    cases(2000),
  );
  t.true(covered > 0);
});

test('Who lacks nothing that may have been pruned is not told so, and everyone else is', (t) => {
  const told = { yes: 0, no: 0 };
  fc.assert(
    fc.property(frontier, frontier, fc.nat(52), fc.boolean(), (since, now, prunedXid, restarted) => {
      fc.pre(now.contains(since) && !now.isNew(prunedXid));
      const startedAt = restarted ? since.time + 1 : since.time;
      const reason = unavailable({ frontier: now, storage: true, startedAt, prunedXid }, since);
      const upTo = Array.from({ length: prunedXid + 1 }, (_, xid) => xid);
      const lacking = upTo.some((xid) => since.isNew(xid) && !now.isNew(xid));
      if (lacking) t.truthy(reason);
      // After a restart their ids tell less.
      else if (!restarted || prunedXid < since.xmin) t.is(reason, undefined);
      else t.truthy(reason);
      told[reason ? 'yes' : 'no'] += 1;
    }),
    cases(2000),
  );
  t.true(told.yes > 0 && told.no > 0);
});

test('Who brings more transactions in progress than a reading may name is served all the same', (t) => {
  const many = Array.from({ length: 20_000 }, (_, i) => 100 + 2 * i);
  const frontiers = [new Frontier('e', 1, 100, 50_000, many), new Frontier('e', 1, 4000, 4010, [4003])];
  const need = needOf(frontiers);
  t.is(need.xmax, 100);
  const late = new Envelope(1, 102, 'public', null, 't', 1, '{}');
  const recent = read([late], need, 0, 10);
  const backlog = new Backlog(need, 0, recent, recent.envelopes);
  t.true(frontiers.every((frontier) => backlog.covers(frontier)));
  t.deepEqual(
    frontiers.map((frontier) => backlog.since(frontier, audiencesOf(null)).length),
    [1, 0],
  );
});

test('Why missed events cannot be had is told: nothing is stored, another database, or pruned', (t) => {
  const now = new Frontier('e', 1000, 50, 50, []);
  const state = { frontier: now, storage: true, startedAt: 1, prunedXid: 0 };
  const since = (xmax: number, inProgress: number[] = [], time = 500) =>
    new Frontier('e', time, inProgress[0] ?? xmax, xmax, inProgress);
  t.is(unavailable({ ...state, storage: false }, since(50)), 'events are not stored');
  t.is(unavailable(state, since(1050)), undefined, 'a crash may forget so many transactions');
  t.is(unavailable(state, since(1051)), 'the database was replaced or restored');
  const pruned = 'events since then have been pruned or were not stored';
  t.is(unavailable({ ...state, prunedXid: 30 }, since(31)), undefined);
  t.is(unavailable({ ...state, prunedXid: 30 }, since(30)), pruned);
  t.is(unavailable({ ...state, prunedXid: 30 }, since(40, [30])), pruned);
  t.is(unavailable({ ...state, prunedXid: 30 }, since(40, [31])), undefined);
  const running = { ...state, frontier: new Frontier('e', 1000, 30, 50, [30]) };
  t.is(unavailable({ ...running, prunedXid: 35 }, since(40, [30])), undefined, 'it is still in progress');
  const restarted = { ...state, startedAt: 501, prunedXid: 30 };
  t.is(unavailable(restarted, since(40, [31])), undefined);
  t.is(unavailable(restarted, since(40, [30])), pruned);
  t.is(unavailable({ ...restarted, startedAt: 500 }, since(40, [31])), undefined);
});

test('Clients need together what each of them needs: from the oldest on, and what ran then', (t) => {
  const frontiers = [new Frontier('e', 20, 8, 30, [8, 9]), new Frontier('e', 10, 9, 25, [9, 12])];
  t.deepEqual(needOf(frontiers), { epoch: 'e', xmax: 25, inProgress: new Set([8, 9, 12]), time: 10 });
});

test('A backlog in which older events had no room is of no use to who needs them, and says so', (t) => {
  const need = needOf([new Frontier('e', 1, 10, 10, [])]);
  const recent = { frontier: new Frontier('e', 1000, 50, 50, []), storage: true, startedAt: 0, prunedXid: 0 };
  const backlog = new Backlog(need, 7, { ...recent, envelopes: [], completeFrom: 20 }, []);
  t.is(backlog.before, 7);
  t.is(backlog.state.frontier.xmax, 50);
  for (const [xmax, covers] of [
    [19, false],
    [20, true],
    [21, true],
  ] as const) {
    const since = new Frontier('e', 1, xmax, xmax, []);
    t.is(backlog.covers(since), covers);
    t.is(backlog.isBeyond(since), !covers);
  }
  t.false(backlog.covers(new Frontier('f', 1, 30, 30, [])), 'of another history of the database');
  const whole = new Backlog(need, 7, { ...recent, envelopes: [], completeFrom: 10 }, []);
  t.false(whole.isBeyond(new Frontier('e', 1, 9, 9, [])), 'another reading may bring it');
});
