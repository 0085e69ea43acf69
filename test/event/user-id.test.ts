import test from 'ava';
import { toUserId } from '../../src/event/user-id.js';
import { DjrError } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';

const GOOD: [value: unknown, id: string][] = [
  ['ada', 'ada'],
  [42, '42'],
  [0, '0'],
  [-7, '-7'],
  [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  [9007199254740993n, '9007199254740993'],
  ['x'.repeat(255), 'x'.repeat(255)],
  ['😀'.repeat(255), '😀'.repeat(255)],
  [' ', ' '],
];

const BAD: [value: unknown, code: string][] = [
  [undefined, 'DJR02'],
  [null, 'DJR02'],
  ['', 'DJR03'],
  [Number.NaN, 'DJR03'],
  [Number.POSITIVE_INFINITY, 'DJR03'],
  [Number.NEGATIVE_INFINITY, 'DJR03'],
  [-0, 'DJR03'],
  [1.5, 'DJR03'],
  [9007199254740992, 'DJR03'],
  [10n ** 255n, 'DJR03'],
  [true, 'DJR03'],
  [false, 'DJR03'],
  [{}, 'DJR03'],
  [[], 'DJR03'],
  [['42'], 'DJR03'],
  [new String('42'), 'DJR03'],
  [new Date(0), 'DJR03'],
  [Symbol('user'), 'DJR03'],
  [() => '42', 'DJR03'],
  ['x'.repeat(256), 'DJR03'],
  ['😀'.repeat(256), 'DJR03'],
  ['a\0b', 'DJR03'],
  ['a\ud800', 'DJR03'],
  ['\udc00b', 'DJR03'],
];

test('A user is a text that PostgreSQL holds, a safe integer or a bigint; anything else is an error with a hint', async (t) => {
  for (const [value, id] of GOOD) t.is(toUserId(value), id);
  for (const [value, code] of BAD) {
    const error = t.throws(() => toUserId(value), { instanceOf: DjrError, code }, String(value));
    t.truthy(error.hint);
  }
});

const SAID: [value: unknown, was: RegExp][] = [
  [undefined, /^a user_id must name a user \(it is undefined\)$/],
  [10n ** 255n, /\(it has 256 digits\)$/],
  [-0, /\(it is -0\)$/],
  [1.5, /\(it is 1\.5\)$/],
  [['42'], /\(it is of type array\)$/],
  [true, /\(it is of type boolean\)$/],
  ['a\0b', /\(it has a NUL character\)$/],
  ['a\ud800', /\(it has half a surrogate pair\)$/],
  ['😀'.repeat(256), /\(it has 256 characters\)$/],
];

test('The error of a value that is no user says what the value was', (t) => {
  for (const [value, was] of SAID) t.throws(() => toUserId(value), { message: was });
});

test('The domain djr.event_user holds every user that is taken, as it is', async (t) => {
  const db = await createDatabase(t);
  for (const [, id] of GOOD) {
    const [row] = await db.query('select $1::djr.event_user::text as user', [id]);
    t.is(row!.user, id);
  }
});
