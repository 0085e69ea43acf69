import test from 'ava';
import fc from 'fast-check';
import { DatabaseError } from 'pg';
import { createDatabase } from '../helpers/database.js';
import { cases } from '../helpers/fuzz.js';

/** Near enough to an event that many get through, and everything else, too. */
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('', 'a', ' ', '\u0000', '\ud800'));
const anyMember = fc.oneof(fc.jsonValue(), anyText);
const nearlyEvent = fc.record(
  {
    scope: fc.oneof(
      { arbitrary: fc.constantFrom('user', 'public', 'system'), weight: 4 },
      { arbitrary: anyMember, weight: 1 },
    ),
    user_id: fc.oneof(fc.constantFrom('7', null), fc.integer(), anyMember),
    type: fc.oneof({ arbitrary: fc.constantFrom('note', 'ünï'), weight: 4 }, { arbitrary: anyMember, weight: 1 }),
    detail: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), anyMember),
    private_data: anyMember,
    key: fc.oneof(fc.constantFrom('k', null), fc.integer(), anyMember),
    other: fc.jsonValue(),
  },
  { requiredKeys: ['type'] },
);
const mostlyEvent = fc.record(
  {
    scope: fc.constantFrom('public', 'system'),
    type: fc.constantFrom('note', 'done'),
    detail: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer()),
    key: fc.constantFrom('k1', 'k2', null),
  },
  { requiredKeys: ['scope', 'type'] },
);
const anyInput = fc.oneof(
  fc.array(mostlyEvent, { maxLength: 6 }),
  fc.array(fc.oneof(nearlyEvent, mostlyEvent, fc.jsonValue()), { maxLength: 6 }),
  fc.jsonValue(),
);

test('publish_many stores all of any JSON, or says what is wrong with it and stores nothing', async (t) => {
  const db = await createDatabase(t);
  const client = await db.connect();
  const sound = async (input: unknown) => {
    const text = JSON.stringify(input);
    // What is no jsonb never reaches the function.
    const isJsonb = await client.query('select $1::jsonb', [text]).then(
      () => true,
      () => false,
    );
    if (!isJsonb) return;
    await client.query('begin');
    try {
      await client.query('savepoint before');
      const before = await client.query('select count(*)::int as n from djr.event');
      try {
        const { rows } = await client.query('select djr.publish_many($1) as id', [text]);
        t.is(rows.length, (input as unknown[]).length);
        const after = await client.query('select count(*)::int as n from djr.event where id = any ($1::bigint[])', [
          rows.map(({ id }) => id),
        ]);
        t.is(after.rows[0].n, new Set(rows.map(({ id }) => id)).size);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        t.regex(error.code!, /^DJR/, `${error.code} ${error.message} of ${text}`);
        t.regex(error.message, /^(events\[\d+\]: |publish_many takes)/);
        await client.query('rollback to before');
        t.deepEqual((await client.query('select count(*)::int as n from djr.event')).rows, before.rows);
      }
    } finally {
      await client.query('rollback');
    }
  };
  await fc.assert(fc.asyncProperty(anyInput, sound), cases(150));
});
