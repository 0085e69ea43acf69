import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { refusal } from '../helpers/sql.js';

/** The SQLSTATE that a statement fails with for each of these values; null: it does not fail. */
async function codes(db: TestDatabase, statement: string, values: readonly string[]): Promise<(string | null)[]> {
  await db.query(`create or replace function public.code_of(statement text, value text) returns text language plpgsql as $$
    begin
      execute statement using value;
      return null;
    exception when others then
      return sqlstate;
    end $$`);
  const rows = await db.query<{ code: string | null }>(
    'select public.code_of($1, value) as code from unnest($2::text[]) with ordinality as given (value, place) order by place',
    [statement, values],
  );
  return rows.map(({ code }) => code);
}

/** The first and the last of each range of white space and control characters, and what stands beside it. */
const REFUSED = [0x01, 0x20, 0x7f, 0xa0, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff];
const TAKEN = [
  0x21, 0x7e, 0xa1, 0x167f, 0x1681, 0x1fff, 0x200b, 0x2027, 0x202a, 0x202e, 0x2030, 0x205e, 0x2060, 0x2fff, 0x3001,
  0xfefe, 0xff00,
];
const within = (points: readonly number[]) => points.map((point) => `a${String.fromCodePoint(point)}b`);

const WORDS = ['connected', 'disconnected', 'reset', 'heartbeat', 'state', 'error', 'left', 'refused', 'presence'];
const BAD_TYPES = [...within(REFUSED), ...WORDS, 'djr:', 'djr:x', '', 'ü'.repeat(201)];
const GOOD_TYPES = [
  ...within(TAKEN),
  ...WORDS.flatMap((word) => [`${word}s`, `x${word}`, word.toUpperCase()]),
  'djr',
  'xdjr:',
  'x',
  'ü'.repeat(200),
];
const BAD_TOPICS = [...within(REFUSED), '', 'ü'.repeat(256)];
const GOOD_TOPICS = [...within(TAKEN), 'x', 'ü'.repeat(255)];

const MANY = (event: string) => `select djr.publish_many(jsonb_build_array(jsonb_build_object(${event})))`;

/** All ways to publish, and what each says of a value that breaks the rule. */
const WAYS: [what: string, how: string, statement: string, code: string, bad: string[], good: string[]][] = [
  ['type', 'publish_public', 'select djr.publish_public($1)', 'DJR01', BAD_TYPES, GOOD_TYPES],
  [
    'type',
    'publish_public with a key',
    `select djr.publish_public($1, key => md5($1))`,
    'DJR01',
    BAD_TYPES,
    GOOD_TYPES,
  ],
  ['type', 'publish_many', MANY(`'scope', 'public', 'type', $1`), 'DJR01', BAD_TYPES, GOOD_TYPES],
  ['type', 'INSERT', `insert into djr.event (scope, type) values ('public', $1)`, '23514', BAD_TYPES, GOOD_TYPES],
  ['topic', 'publish_topic', `select djr.publish_topic($1, 't')`, 'DJR18', BAD_TOPICS, GOOD_TOPICS],
  [
    'topic',
    'publish_topic with a key',
    `select djr.publish_topic($1, 't', key => 't' || md5($1))`,
    'DJR18',
    BAD_TOPICS,
    GOOD_TOPICS,
  ],
  ['topic', 'publish_many', MANY(`'topic', $1, 'type', 't'`), 'DJR18', BAD_TOPICS, GOOD_TOPICS],
  [
    'topic',
    'INSERT',
    `insert into djr.event (scope, type, topic) values ('topic', 't', $1)`,
    '23514',
    BAD_TOPICS,
    GOOD_TOPICS,
  ],
  ...(
    [
      ['publish', `select djr.publish($1, 't')`, 'DJR03'],
      ['publish with a key', `select djr.publish($1, 't', key => 'k' || md5($1))`, 'DJR03'],
      ['publish_many', MANY(`'user_id', $1, 'type', 't'`), 'DJR03'],
      ['INSERT', `insert into djr.event (scope, type, user_id) values ('user', 't', $1)`, '23514'],
    ] as const
  ).map(([how, statement, code]): [string, string, string, string, string[], string[]] => [
    'user',
    how,
    statement,
    code,
    ['', 'ü'.repeat(256)],
    ['u', ' ', 'ü'.repeat(255)],
  ]),
  ...(
    [
      ['publish', `select djr.publish('u', 't', key => $1)`, 'DJR11'],
      ['publish_many', MANY(`'user_id', 'u', 'type', 't', 'key', $1`), 'DJR11'],
      ['INSERT', `insert into djr.event (scope, type, key) values ('public', 't', 'i' || $1)`, '23514'],
    ] as const
  ).map(([how, statement, code]): [string, string, string, string, string[], string[]] => [
    'key',
    how,
    statement,
    code,
    how === 'INSERT' ? ['ü'.repeat(255)] : ['', 'ü'.repeat(256)],
    how === 'INSERT' ? ['', 'ü'.repeat(254)] : ['k', 'ü'.repeat(255)],
  ]),
];

for (const storage of [true, false]) {
  test(`Each way to publish takes and refuses the same types, topics, users and keys: storage ${storage ? 'on' : 'off'}`, async (t) => {
    const db = await createDatabase(t);
    await db.query('select djr.configure(storage => $1)', [storage]);
    for (const [what, how, statement, code, bad, good] of WAYS) {
      // A key needs storage, and is refused for that.
      if (!storage && (how.includes('key') || what === 'key')) continue;
      const said = `${what}, ${how}`;
      t.deepEqual(
        await codes(db, statement, bad),
        bad.map(() => code),
        said,
      );
      t.deepEqual(
        await codes(db, statement, good),
        good.map(() => null),
        said,
      );
    }
  });
}

const SAID: [call: string, values: unknown[], message: RegExp, detail: string][] = [
  ['djr.publish_public(null)', [], /characters \(it is null\)$/, 'It is null.'],
  ['djr.publish_public($1)', ['x'.repeat(201)], /characters \(it has 201\)$/, 'It has 201.'],
  ['djr.publish_public($1)', ['a b'], /\(it is "a b"\)$/, 'It is "a b".'],
  [
    "djr.publish_topic($1, 't')",
    ['x'.repeat(256)],
    /^a topic must have 1 to 255 characters \(it has 256\)$/,
    'It has 256.',
  ],
  ['djr.publish_many(\'[{"topic": "", "type": "t"}]\')', [], /^events\[0\]: a topic .* \(it has 0\)$/, 'It has 0.'],
  ['djr.seal(null::text)', [], /^a topic must have 1 to 255 characters \(it is null\)$/, 'It is null.'],
  ["djr.publish_topic($1, 't')", ['a b'], /^a topic must have no white space .* \(it is "a b"\)$/, 'It is "a b".'],
  ["djr.publish_topic(null, 't')", [], /must have a topic \(it is null\)$/, 'The topic is null.'],
  [
    'djr.publish_many($1)',
    ['[{"scope": "topic", "topic": "r", "user_id": "u", "type": "t"}]'],
    /must have no user_id \(it is "u"\)$/,
    'The user_id is "u".',
  ],
  [
    'djr.publish_many($1)',
    ['[{"scope": "public", "topic": "r", "type": "t"}]'],
    /must have no topic \(it is "r"\)$/,
    'The topic is "r".',
  ],
  [
    'djr.publish_many($1)',
    ['[{"user_id": "u", "type": ["t"], "key": 7}]'],
    /must be strings \(key is of type number, type is of type array\)$/,
    'The event is {"key": 7, "type": ["t"], "user_id": "u"}.',
  ],
  ["djr.seal('r', $1::text)", ['x'.repeat(256)], /\(it has 256\)$/, 'It has 256.'],
  ["djr.seal('r', 'u', '-1 hour')", [], /at most 31 days \(it is -01:00:00\)$/, 'It is -01:00:00.'],
  ["djr.create_consumer('c', topics => array['a b'])", [], /^topics: a topic .* \(it is "a b"\)$/, 'It is "a b".'],
  [
    "djr.create_consumer('c', 'yesterday')",
    [],
    /^from must be now, start, or a position .* \(it is "yesterday"\)$/,
    'A position is what djr.position() returned.',
  ],
  [
    "djr.create_consumer('c', '1:9000000000000000000:')",
    [],
    /^from must be .* \(it is "1:9000000000000000000:"\)$/,
    'It lies in the future: it is one of another database.',
  ],
  ['djr.configure(queue_limit => 2)', [], /^queue_limit must be .* \(it is 2\)$/, 'It is 2.'],
  [
    "djr.configure(authorize_topic => 'public.none')",
    [],
    /\(there is none named public\.none\)$/,
    'There is none named public.none.',
  ],
  ["djr.publish($1, 't')", ['x'.repeat(256)], /\(it has 256\)$/, 'It has 256.'],
  ["djr.publish('u', 't', null)", [], /JSON object \(it is null\)$/, 'It is null.'],
  ["djr.publish('u', 't', '[]')", [], /JSON object \(it is of type array\)$/, 'It is of type array.'],
  ["djr.publish('u', 't', key => $1)", ['x'.repeat(256)], /\(it has 256\)$/, 'It has 256.'],
];

test('A refusal says what must be, and then what was', async (t) => {
  const db = await createDatabase(t);
  for (const [call, values, message, detail] of SAID) {
    const error = await refusal(db, `select ${call}`, values);
    t.regex(error.message, message, call);
    t.is(error.detail, detail, call);
  }
});
