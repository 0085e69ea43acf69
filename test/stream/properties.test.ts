import test from 'ava';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { decodeMessage, Envelope } from '../../src/event/envelope.js';
import type { Scope } from '../../src/event/event.js';
import { eventFrame } from '../../src/event/frame.js';
import { Frontier } from '../../src/event/frontier.js';
import { Serial } from '../../src/lib/serial.js';
import { Feed } from '../../src/stream/feed.js';
import { cases } from '../helpers/fuzz.js';

/** Any type that SQL lets through. */
const anyType = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => !/[\s\p{Cc}]/u.test(text));
const anyDetail = fc
  .dictionary(fc.oneof(fc.string(), fc.constantFrom('type', 'id', '__proto__', 'data', '"type"', '\\')), fc.jsonValue())
  .map((detail) => JSON.stringify(detail));
const anyId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const whitespace = fc.constantFrom('', ' ', '  ');

const anyEnvelope = fc
  .record({
    id: anyId,
    xid: fc.option(fc.integer({ min: 3, max: 2 ** 48 })),
    who: fc.constantFrom<[Scope, string | null]>(
      ['public', null],
      ['user', 'ålice 1'],
      ['system', null],
      ['system', '7'],
    ),
    type: anyType,
    createdAt: fc.integer({ min: 0, max: 2 ** 42 }),
    detail: anyDetail,
    unstored: fc.boolean(),
  })
  .map(
    ({ id, xid, who, type, createdAt, detail, unstored }) =>
      new Envelope(id, xid, who[0], who[1], type, createdAt, detail, null, xid === null && unstored),
  );

/** As the database encodes it. */
const encode = (
  { id, xid, scope, userId, type, createdAt, detailText, topic, unstored }: Envelope,
  more: readonly unknown[] = [],
): string =>
  `${JSON.stringify([id, xid === null ? null : String(xid), scope, userId, type, createdAt, topic, ...(unstored ? ['unstored'] : []), ...more])}\t${detailText}`;

test('A message decodes to what was encoded, however many events it holds, and whatever a later version adds', (t) => {
  const anyMore = fc.array(fc.jsonValue(), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(anyEnvelope, { minLength: 1, maxLength: 5 }), anyMore, (envelopes, more) => {
      t.deepEqual(decodeMessage(envelopes.map((envelope) => encode(envelope, more)).join('\n')), envelopes);
    }),
    cases(100),
  );
  t.pass();
});

test('Whatever comes on the channel, decoding gives sound envelopes or an Error', (t) => {
  const header = fc.oneof(
    fc.json(),
    fc
      .array(fc.oneof(fc.jsonValue(), fc.constantFrom('public', 'user', 'system', '7', null)), {
        minLength: 6,
        maxLength: 8,
      })
      .map((values) => JSON.stringify(values)),
    fc
      .tuple(
        fc.integer(),
        fc.constantFrom('5', null),
        fc.constantFrom('public', 'user'),
        fc.constantFrom(null, 'a'),
        fc.string(),
        fc.integer(),
      )
      .map((values) => JSON.stringify(values)),
  );
  const detail = fc
    .tuple(whitespace, fc.oneof(anyDetail, fc.json(), fc.string()), whitespace)
    .map((parts) => parts.join(''));
  const message = fc.oneof(
    fc.string(),
    fc.tuple(header, detail).map((parts) => parts.join('\t')),
  );
  fc.assert(
    fc.property(message, (text) => {
      let envelopes: Envelope[];
      try {
        envelopes = decodeMessage(text);
      } catch (error) {
        t.true(error instanceof Error);
        return;
      }
      for (const envelope of envelopes) {
        t.true(envelope.id > 0);
        t.is(typeof envelope.toEvent().detail, 'object');
        t.true(parsed(eventFrame(envelope, 'p', true)).length === 1);
      }
    }),
    cases(1000),
  );
  t.pass();
});

interface Parsed {
  id: string | undefined;
  event: string | undefined;
  data: unknown;
}

function parsed(frame: Buffer): Parsed[] {
  const events: Parsed[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => events.push({ id, event, data: JSON.parse(data) }),
    onError: (error) => {
      throw error;
    },
  });
  parser.feed(frame.toString());
  return events;
}

/** As entries: an object with a key `__proto__` is not compared as one. */
const sorted = (value: unknown) => Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));

test('A frame parses to the event that was published, with its type and no other', (t) => {
  fc.assert(
    fc.property(anyEnvelope, fc.boolean(), (envelope, named) => {
      const [frame, ...more] = parsed(eventFrame(envelope, 'a.b.c', named));
      t.deepEqual(more, []);
      t.deepEqual(sorted(frame!.data), sorted({ ...JSON.parse(envelope.detailText), type: envelope.type }));
      t.is(frame!.id, `${envelope.id}-a.b.c..${envelope.createdAt.toString(36)}`);
      t.is(frame!.event, named ? envelope.type : undefined);
    }),
    cases(500),
  );
  t.pass();
});

test('Work is done one after the other in the order of pushing, whether it takes time or not', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(fc.boolean(), { maxLength: 20 }), async (scheduler, slow) => {
      const log: string[] = [];
      const serial = new Serial<number>((n) => {
        log.push(`begin ${n}`);
        if (!slow[n]) {
          log.push(`end ${n}`);
          return;
        }
        return scheduler.schedule(Promise.resolve()).then(() => {
          log.push(`end ${n}`);
        });
      });
      for (const n of slow.keys()) serial.push(n);
      const idle = serial.idle();
      await scheduler.waitFor(idle);
      t.deepEqual(
        log,
        [...slow.keys()].flatMap((n) => [`begin ${n}`, `end ${n}`]),
      );
      t.is(serial.length, 0);
    }),
    cases(100),
  );
  t.pass();
});

test('Fast lane and sweeps together hand each event on exactly once, in whatever order they come', async (t) => {
  // A database in small: transactions take xids, commit (and notify) in any order, sweeps see a snapshot of what is
  // committed, the listener is lost and comes back. Each step is a choice of the generator.
  const step = fc.record({
    what: fc.oneof(
      { arbitrary: fc.constantFrom('begin', 'commit'), weight: 12 },
      { arbitrary: fc.constantFrom('sweep', 'end'), weight: 8 },
      { arbitrary: fc.constantFrom('lose', 'listen', 'listen', 'fail'), weight: 2 },
    ),
    pick: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const delivered: number[] = [];
      const feed = new Feed({
        deliver: ({ id }) => void delivered.push(id),
        maxWaiting: 1000,
        turnBytes: 1000,
        onFailed: () => t.fail(),
        onLost: () => t.fail('a stored event is never lost'),
      });
      let nextXid = 10;
      const open: Envelope[] = [];
      const committed: Envelope[] = [];
      /** Messages that PostgreSQL has sent and the listener has not read yet. */
      let notified: Envelope[] = [];
      let listening = true;
      let sweep: { frontier: Frontier; rows: Envelope[] } | undefined;
      const snapshot = () => {
        const inProgress = open.map(({ xid }) => xid!).sort((a, b) => a - b);
        return new Frontier('e', 0, inProgress[0] ?? nextXid, nextXid, inProgress);
      };
      const beginSweep = () => {
        feed.beginSweep(listening);
        sweep = { frontier: snapshot(), rows: committed.filter(({ xid }) => feed.frontier!.isNew(xid!)) };
      };
      const hear = (count: number) => {
        for (const envelope of notified.splice(0, count)) feed.receive([envelope]);
      };
      feed.startAt(snapshot());
      for (const { what, pick } of steps) {
        if (what === 'begin') {
          open.push(new Envelope(nextXid, nextXid, 'public', null, 'x', 0, '{}'));
          nextXid += 1;
        } else if (what === 'commit' && open.length > 0) {
          const [envelope] = open.splice(pick % open.length, 1);
          committed.push(envelope!);
          if (listening) notified.push(envelope!);
          hear(pick % 3);
        } else if (what === 'sweep' && !sweep) {
          beginSweep();
        } else if (what === 'end' && sweep) {
          await feed.sweep(sweep.rows.slice(0, pick % 4));
          hear(pick % 3);
          await feed.sweep(sweep.rows.slice(pick % 4));
          feed.endSweep(sweep.frontier, true);
          sweep = undefined;
        } else if (what === 'fail' && sweep) {
          await feed.sweep(sweep.rows.slice(0, pick % 4));
          feed.close();
          sweep = undefined;
        } else if (what === 'lose') {
          listening = false;
          notified = [];
          feed.close();
        } else if (what === 'listen') listening = true;
      }
      hear(notified.length);
      while (open.length > 0) committed.push(open.pop()!);
      if (!sweep) beginSweep();
      for (let i = 0; i < 2; i += 1) {
        await feed.sweep(sweep!.rows);
        feed.endSweep(sweep!.frontier, true);
        beginSweep();
      }
      await feed.settled();
      t.deepEqual(
        [...delivered].sort((a, b) => a - b),
        committed.map(({ id }) => id).sort((a, b) => a - b),
      );
    }),
    cases(500),
  );
  t.pass();
});
