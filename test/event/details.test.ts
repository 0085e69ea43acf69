import test from 'ava';
import { HARD_DETAILS } from '../helpers/details.js';
import { startApp, until } from '../helpers/server.js';

for (const [how, delivery, historyEvents] of [
  ['heard', 'notify', 100],
  ['found by a sweep', 'sweep', 100],
  ['read from storage by a resume', 'notify', 0],
] as const) {
  test(`Details that are hard to carry arrive as PostgreSQL has them: ${how}`, async (t) => {
    const app = await startApp(t, { historyEvents });
    await app.db.query('select djr.configure(delivery => $1)', [delivery]);
    const live = await app.stream();
    for (const detail of HARD_DETAILS) await app.db.query("select djr.publish_global('hard', $1)", [detail]);
    const rows = await app.db.query<{ text: string }>(
      "select (detail - 'type')::text as text from djr.event order by id",
    );
    const wanted = rows.map(({ text }) => `${text.slice(0, -1)}${text === '{}' ? '' : ', '}"type": "hard"}`);
    t.is(wanted.length, HARD_DETAILS.length);
    await live.count(wanted.length);
    t.deepEqual(
      live.events.map(({ text }) => text),
      wanted,
    );
    const again = await app.stream('', { lastEventId: live.frames[0]!.id });
    await again.count(wanted.length);
    t.deepEqual(
      again.events.map(({ text }) => text),
      wanted,
    );
  });
}

test('A subscriber gets hard details as JSON.parse has them, and no prototype is touched', async (t) => {
  const app = await startApp(t);
  const got: string[] = [];
  app.realtime.subscribe(({ detail }) => got.push(JSON.stringify(detail)));
  for (const detail of HARD_DETAILS) await app.db.query("select djr.publish_global('hard', $1)", [detail]);
  const rows = await app.db.query<{ text: string }>('select detail::text as text from djr.event order by id');
  await until('all of them', () => got.length === rows.length);
  t.deepEqual(
    got,
    rows.map(({ text }) => JSON.stringify(JSON.parse(text))),
  );
  t.is(({} as { admin?: boolean }).admin, undefined);
});

test('What jsonb refuses is refused to the publisher, and nobody hears of it', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  for (const detail of ['{"nul": "\\u0000"}', '{"half": "\\ud800"}', '{"half": "\\udc00 x"}', '{"not": NaN}']) {
    await t.throwsAsync(app.db.query("select djr.publish_global('refused', $1)", [detail]), undefined, detail);
  }
  for (const detail of [{ nul: '\0' }, { half: '\ud800' }]) {
    await t.throwsAsync(app.realtime.publish({ scope: 'public', type: 'refused', detail }));
  }
  await app.realtime.publish({ scope: 'public', type: 'end' });
  await stream.event('end');
  t.deepEqual(stream.types, ['end']);
  t.deepEqual(await app.db.query('select type from djr.event'), [{ type: 'end' }]);
});

test('What jsonb would refuse a hook may add: half a surrogate pair and U+0000 reach the client', async (t) => {
  const added = { half: '\ud800 and \udc00', nul: '\0', line: '\u2028\r\n' };
  const app = await startApp(t, {
    beforeSend(event) {
      Object.assign(event.detail, added);
      return event;
    },
  });
  const stream = await app.stream();
  await app.realtime.publish({ scope: 'public', type: 'x' });
  t.deepEqual((await stream.event('x')).data, { ...added, type: 'x' });
});
