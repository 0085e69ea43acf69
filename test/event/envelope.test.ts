import test from 'ava';
import { decodeMessage, Envelope } from '../../src/event/envelope.js';
import { eventFrame } from '../../src/event/frame.js';
import { Item } from '../../src/event/item.js';

/** What a message of one event must be, and what is in each place of its header. */
const HEADER = { id: 7, xid: '5', scope: 'user', userId: 'ada', type: 'paid', createdAt: 1000 };
const line = (change: object = {}, more: unknown[] = [], detail = '{"n": 1}') =>
  `${JSON.stringify([...Object.values({ ...HEADER, ...change }), ...more])}\t${detail}`;

test('A message is an event a line, with a topic or a mark behind the six fields where there is one', (t) => {
  const [own, topic, unstored, stored] = decodeMessage(
    [
      line(),
      line({ scope: 'topic', userId: null, xid: null }, ['room:7']),
      line({ xid: null }, [null, 'unstored', 'whatever a later version adds']),
      line({}, [null, 'unstored']),
    ].join('\n'),
  );
  t.like(own, { id: 7, xid: 5, scope: 'user', userId: 'ada', topic: null, type: 'paid', createdAt: 1000 });
  t.is(own!.detailText, '{"n": 1}');
  t.false(own!.unstored);
  t.like(topic, { topic: 'room:7', xid: null, userId: null, audience: 't:room:7', unstored: false });
  t.true(unstored!.unstored);
  t.false(stored!.unstored, 'what has a transaction has a row');
});

for (const [what, text] of Object.entries({
  'no tab': '[7,"5","user","ada","paid",1000]{}',
  'a header that is no JSON': `[7,\t{}`,
  'a header that is no array': `{"length": 6}\t{}`,
  'a header of five': `${JSON.stringify(Object.values(HEADER).slice(0, 5))}\t{}`,
  'an id that is zero': line({ id: 0 }),
  'an id below zero': line({ id: -1 }),
  'an id with a fraction': line({ id: 1.5 }),
  'an id beyond 2^53': line({ id: 2 ** 53 }),
  'an id as a text': line({ id: '7' }),
  'a transaction as a number': line({ xid: 5 }),
  'a transaction with letters': line({ xid: '5x' }),
  'a transaction with letters before it': line({ xid: 'x5' }),
  'a transaction below zero': line({ xid: '-5' }),
  'a transaction with a blank behind it': line({ xid: '5 ' }),
  'a transaction with a blank before it': line({ xid: ' 5' }),
  'a transaction in another base': line({ xid: '0x5' }),
  'an empty transaction': line({ xid: '' }),
  'a transaction beyond 2^53': line({ xid: '9007199254740992' }),
  'an unknown scope': line({ scope: 'all', userId: null }),
  'scope user without a user': line({ userId: null }),
  'scope public with a user': line({ scope: 'public' }),
  'scope topic without a topic': line({ scope: 'topic', userId: null }),
  'scope topic with a user': line({ scope: 'topic' }, ['room:7']),
  'scope user with a topic': line({ userId: null }, ['room:7']),
  'scope public with a topic': line({ scope: 'public', userId: null }, ['room:7']),
  'an empty topic': line({ scope: 'topic', userId: null }, ['']),
  'a topic that is no text': line({ scope: 'topic', userId: null }, [7]),
  'a user that is no text': line({ userId: 7 }),
  'an empty user': line({ userId: '' }),
  'a user of a control event that is no text': line({ scope: 'control', userId: 7 }),
  'an empty type': line({ type: '' }),
  'a type with a space': line({ type: 'a b' }),
  'a type with a control character': line({ type: 'a\u0085b' }),
  'a type that is no text': line({ type: 7 }),
  'a type that is a list': line({ type: ['a'] }),
  'a time below zero': line({ createdAt: -1 }),
  'a time that no Date holds': line({ createdAt: 8.64e15 + 1 }),
  'a detail that is an array': line({}, [], '[]'),
  'a detail that is null': line({}, [], 'null'),
  'a detail that is a text': line({}, [], '"x"'),
  'a detail that is no JSON': line({}, [], '{'),
  'a detail with a carriage return': line({}, [], '{"n":\r1}'),
  'an empty line': '',
})) {
  test(`A message with ${what} is believed in nothing`, (t) => {
    t.throws(() => decodeMessage(text));
    t.throws(() => decodeMessage(`${line()}\n${text}`));
  });
}

test('The largest numbers and every scope are read', (t) => {
  const [largest] = decodeMessage(line({ id: Number.MAX_SAFE_INTEGER, xid: '9007199254740991', createdAt: 8.64e15 }));
  t.like(largest, { id: Number.MAX_SAFE_INTEGER, xid: Number.MAX_SAFE_INTEGER, createdAt: 8.64e15 });
  t.like(decodeMessage(line({ xid: '0', createdAt: 0 }))[0], { xid: 0, createdAt: 0 });
  t.like(decodeMessage(line({ scope: 'public', userId: null }))[0], { audience: '*' });
  t.like(decodeMessage(line())[0], { audience: 'u:ada' });
  for (const scope of ['system', 'control']) {
    for (const userId of [null, 'ada']) t.is(decodeMessage(line({ scope, userId }))[0]!.audience, undefined);
  }
});

test('A hook that changes nothing costs no new event; what it changes is in a new one, and the rest stays', (t) => {
  const envelope = new Envelope(7, null, 'user', 'ada', 'paid', 1000, '{"n": 1e2,  "a": "x"}', null, true);
  t.is(envelope.withEvent(envelope.toEvent()), envelope);
  t.is(envelope.withEvent({ ...envelope.toEvent(), topic: undefined as never }), envelope);
  const same = { id: 7, xid: null, createdAt: 1000, unstored: true };
  const typed = envelope.withEvent({ ...envelope.toEvent(), type: 'seen' });
  t.like(typed, { ...same, type: 'seen', scope: 'user', userId: 'ada', detailText: envelope.detailText });
  const detailed = envelope.withEvent({ ...envelope.toEvent(), detail: { n: 2 } });
  t.like(detailed, { ...same, type: 'paid', detailText: '{"n":2}' });
  t.like(envelope.withEvent({ ...envelope.toEvent(), userId: 'bob' }), { ...same, audience: 'u:bob' });
  t.like(envelope.withEvent({ ...envelope.toEvent(), scope: 'public', userId: null }), { ...same, audience: '*' });
  t.like(envelope.withEvent({ ...envelope.toEvent(), scope: 'topic', userId: null, topic: 'room:7' }), {
    ...same,
    audience: 't:room:7',
  });
  t.like(envelope.withEvent({ ...envelope.toEvent(), scope: 'system' }), { ...same, scope: 'system', userId: 'ada' });
  const topical = new Envelope(7, 5, 'topic', null, 'paid', 1000, '{}', 'room:7');
  t.false(topical.unstored);
  t.like(topical.withEvent({ ...topical.toEvent(), topic: 'room:8' }), { topic: 'room:8', audience: 't:room:8' });
});

test('A detail that makes no JSON object is an error', (t) => {
  const envelope = new Envelope(7, 5, 'public', null, 'paid', 1000, '{}');
  for (const detail of [[], null, undefined, 'x', 7, { toJSON: () => 'x' }, { toJSON: () => undefined }]) {
    t.throws(() => envelope.withEvent({ ...envelope.toEvent(), detail: detail as never }), {
      message: /must make a JSON object/,
    });
  }
});

test('Each hook and subscriber gets an event of its own', (t) => {
  const envelope = new Envelope(7, 5, 'topic', null, 'paid', 1000, '{"n": {"m": 1}}', 'room:7');
  const event = envelope.toEvent();
  t.deepEqual(event, {
    id: 7,
    type: 'paid',
    scope: 'topic',
    userId: null,
    topic: 'room:7',
    detail: { n: { m: 1 } },
    createdAt: new Date(1000),
  });
  t.not(envelope.toEvent().detail, event.detail);
});

test('What no NOTIFY can carry is large', (t) => {
  const of = (length: number) => new Envelope(1, 1, 'public', null, 'x', 0, `{"x":"${'x'.repeat(length - 8)}"}`);
  t.is(of(7999).detailText.length, 7999);
  t.false(of(7999).isLarge);
  t.true(of(8000).isLarge);
  t.is(of(1000).size - of(900).size, 200, 'two bytes a character');
});

test('A frame is encoded once in each form, for all clients', (t) => {
  const item = new Item(3, new Envelope(7, 5, 'public', null, 'paid', 1000, '{}'), 'p');
  t.is(item.frame(true), item.frame(true));
  t.is(item.frame(false), item.frame(false));
  t.deepEqual(item.frame(true), eventFrame(item.envelope, 'p', true));
  t.deepEqual(item.frame(false), eventFrame(item.envelope, 'p', false));
  t.deepEqual([item.order, item.before, item.size], [3, 'p', item.envelope.size]);
});
