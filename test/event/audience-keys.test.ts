import test from 'ava';
import { audienceOf, entitlementOf, isTopic, topicAudience, topicOf, userAudience } from '../../src/event/audience.js';
import { AudienceSet } from '../../src/event/audience-set.js';
import { isReservedType } from '../../src/event/reserved-types.js';

test('An event is for everybody, one user, one topic, or no client', (t) => {
  t.is(audienceOf('public', null, null), '*');
  t.is(audienceOf('user', '*', null), 'u:*');
  t.is(audienceOf('topic', null, 'room:7'), 't:room:7');
  t.is(audienceOf('user', null, null), undefined);
  t.is(audienceOf('topic', null, null), undefined);
  t.is(audienceOf('system', 'ada', null), undefined);
});

test('What a client is entitled to is taken apart as it was put together', (t) => {
  const of = (...audiences: string[]) => {
    const { everybody, named } = entitlementOf(audiences);
    return [everybody, ...named.map(({ scope, column, names }) => [scope, column, names])];
  };
  t.deepEqual(of('*', userAudience('u:1'), topicAudience('t:2'), topicAudience('room:7')), [
    true,
    ['user', 'user_id', ['u:1']],
    ['topic', 'topic', ['t:2', 'room:7']],
  ]);
  t.deepEqual(of(userAudience('*')), [false, ['user', 'user_id', ['*']]]);
  t.is(topicOf(topicAudience('u:1')), 'u:1');
  t.is(topicOf(userAudience('t:1')), undefined);
  t.is(topicOf('*'), undefined);
});

test('A set of audiences has what it was made of, each once, and no part of any', (t) => {
  const set = new AudienceSet(['*', 'u:10', 't:room:7', 't:room:77', 'u:10']);
  t.deepEqual([...set], ['*', 'u:10', 't:room:7', 't:room:77']);
  for (const audience of ['*', 'u:10', 't:room:7', 't:room:77']) t.true(set.has(audience), audience);
  for (const audience of ['u:1', ':10', '0', 't:room:777', 'room:7', 't:room:']) t.false(set.has(audience), audience);
  const less = set.without('t:room:77');
  t.deepEqual([...less], ['*', 'u:10', 't:room:7']);
  t.false(less.has('t:room:77'));
  t.true(less.has('t:room:7'));
  t.true(set.has('t:room:77'), 'it is a new set');
  // One that is found first as the end of another.
  t.true(new AudienceSet(['u:xu:1', 'u:1']).has('u:1'));
});

test('A set of nothing has nothing', (t) => {
  for (const set of [new AudienceSet([]), new AudienceSet(['*']).without('*')]) {
    t.deepEqual([...set], []);
    t.false(set.has('*'));
  }
});

test('No set has an empty text, which is no audience', (t) => {
  for (const set of [new AudienceSet([]), new AudienceSet(['*', 't:room:7'])]) t.false(set.has(''));
});

test('A topic is a text that djr.event_topic holds', (t) => {
  for (const topic of ['a', 'room:7', 'ü'.repeat(255), '😀'.repeat(255), '!', '\u00a1', '\u200b'])
    t.true(isTopic(topic), topic);
  for (const topic of ['', 'ü'.repeat(256), '😀'.repeat(256), 'x'.repeat(511), 'a\ud800', '\udc00a'])
    t.false(isTopic(topic));
  const never = [0, 1, 0x20, 0x7f, 0xa0, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff];
  for (const point of never) t.false(isTopic(`a${String.fromCodePoint(point)}b`), point.toString(16));
});

test('The words of the stream are no types of events, and whatever begins with djr: is none', (t) => {
  const words = ['connected', 'disconnected', 'reset', 'heartbeat', 'state', 'error', 'left', 'refused', 'presence'];
  for (const type of [...words, 'djr:', 'djr:chat']) t.true(isReservedType(type), type);
  for (const type of ['', 'Connected', 'resets', 'djr', 'xdjr:x']) t.false(isReservedType(type), type);
});
