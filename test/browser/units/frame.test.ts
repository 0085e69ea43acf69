import test from 'ava';
import { eventOf, isOwnWord, parseFrame, rowsOf, timeOf } from '../../../src/browser/frame.js';
import { createSeen } from '../../../src/browser/seen.js';

test('The number of an event and its time are read from the id of its frame', (t) => {
  for (const [id, event] of [
    ['1042-a.b..kf12', 1042],
    ['7', 7],
    ['0-a', 0],
    ['', 0],
    ['x-1', 0],
  ] as const) {
    t.is(eventOf(id), event, id);
  }
  t.deepEqual(timeOf('7-a.b..kf12'), new Date(Number.parseInt('kf12', 36)));
  t.is(timeOf('7-a.b'), undefined);
  t.is(timeOf('7-a..'), undefined);
});

test('No event may have a word of the client’s own as its type', (t) => {
  for (const word of [
    'connected',
    'disconnected',
    'reset',
    'heartbeat',
    'state',
    'error',
    'left',
    'refused',
    'presence',
    'djr:',
    'djr:x',
    'djr:\n',
  ]) {
    t.true(isOwnWord(word), word);
  }
  for (const word of ['', 'x', 'resets', 'xreset', 'a_state', 'djr', 'xdjr:', 'a\nreset', undefined])
    t.false(isOwnWord(word), word);
});

test('An id of a row that JavaScript cannot hold is the text that was sent, wherever else such a name stands', (t) => {
  for (const [text, rows] of [
    ['{":id": 7}', [7]],
    ['{":id": 9007199254740991}', [9007199254740991]],
    ['{":id": 9007199254740992}', ['9007199254740992']],
    ['{":id": 9007199254740993, ":old_id": 9007199254740992}', ['9007199254740993', '9007199254740992']],
    ['{":old_id": -9007199254740993}', ['-9007199254740993']],
    ['{":id": 1.50}', ['1.50']],
    ['{":id":1, ":id" : 1e400 }', ['1e400']],
    ['{"a": {":id": 1}, "b": [{":id": 2}], ":id": 9007199254740993, "c": {":id": 3}}', ['9007199254740993']],
    ['{"a": "\\":id\\": 5, {", ":id": 9007199254740993, "b": "}"}', ['9007199254740993']],
    ['{"a": ":id", "b": 4, ":id": 9007199254740993, "x": 8}', ['9007199254740993']],
    ['{"\\u003aid": 9007199254740993}', ['9007199254740993']],
    ['{":id": "x", ":old_id": 0}', ['x', 0]],
    ['{":id": null}', []],
    ['{}', []],
  ] as [string, unknown[]][]) {
    t.deepEqual(rowsOf(parseFrame(text)), rows, text);
  }
  t.deepEqual(parseFrame('{"n": 9007199254740993}'), { n: 9007199254740992 }, 'nothing else is touched');
  t.is(parseFrame('null'), null as never);
});

test('Of the numbers that were seen the latest 16,384 are remembered', (t) => {
  const seen = createSeen();
  t.true(seen.add(1));
  t.false(seen.add(1));
  t.true(seen.has(1));
  for (let event = 2; event <= 16_384; event += 1) seen.add(event);
  t.true(seen.has(1));
  t.true(seen.add(16_385));
  t.false(seen.has(1));
  t.true(seen.has(2));
  t.is(seen.all().length, 16_384);
  t.deepEqual(seen.all().slice(0, 2), [2, 3]);
  seen.clear();
  t.deepEqual(seen.all(), []);
  t.true(seen.add(2));
});
