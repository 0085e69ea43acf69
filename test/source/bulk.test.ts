import test from 'ava';
import { startApp } from '../helpers/server.js';

test('Of many thousand events in one statement all come at once and once, and none that was published later before them', async (t) => {
  // Nothing but the doorbell asks for a sweep.
  const app = await startApp(t, { sweepInterval: 3_600_000, probeInterval: 3_600_000 });
  const stream = await app.stream();
  const expected: number[] = [];
  const bulk = (from: number, to: number) =>
    app.db.query(
      `insert into djr.event (scope, type, detail)
       select 'public', 'bulk', jsonb_build_object('n', n, 'pad', repeat('x', 100)) from generate_series($1::int, $2::int) n`,
      [from, to],
    );
  for (let round = 0; round < 5; round += 1) {
    const from = round * 10_000 + 1;
    await bulk(from, from + 4999);
    for (let n = from + 5000; n < from + 5010; n += 1) {
      await app.db.query("select djr.publish_global('one', jsonb_build_object('n', $1::int))", [n]);
    }
    for (let n = from; n < from + 5010; n += 1) expected.push(n);
  }
  await stream.until('the last', () => stream.events.at(-1)?.data.n === expected.at(-1));
  const numbers = stream.events.map(({ data }) => data.n);
  // A difference of 25,000 lines would take minutes to print.
  t.is(
    numbers.findIndex((n, i) => n !== expected[i]),
    -1,
  );
  t.is(numbers.length, expected.length);
});
