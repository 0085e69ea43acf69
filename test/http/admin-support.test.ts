import test from 'ava';
import { openAdmin } from '../helpers/admin.js';
import { createDatabase } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { until } from '../helpers/server.js';

const idsOf = (page: string): number[] => [
  ...new Set([...page.matchAll(/events\/(\d+)\/"/g)].map((match) => Number(match[1]))),
];

test('topics are a filter, a link and a fact of the event', async (t) => {
  const { db, see, visit } = await openAdmin(t);
  await db.query(
    "select djr.publish_topic('room:7', 'said'), djr.publish_topic('room:8', 'said'), djr.publish_topic('team:1', 'said'), djr.publish('7', 'mine')",
  );
  t.deepEqual(idsOf(await see('?topic=room:7')), [1]);
  t.deepEqual(idsOf(await see('?topic=room:*')), [2, 1]);
  t.deepEqual(idsOf(await see('?scope=topic&topic=team:1')), [3]);
  await until('its status is known', async () => idsOf(await see('?topic=team:1&status=dispatched'))[0] === 3);
  t.regex(await see(), /<a class="topic" href="\/realtime\/admin\/\?topic=room%3A7">room:7<\/a>/);
  t.regex(await see('events/1/'), /<a class="topic" href="\/realtime\/admin\/\?topic=room%3A7">/);
  t.is((await visit(`?topic=${'x'.repeat(301)}`)).status, 400);
});

test('users and types are links to what else there is of them', async (t) => {
  const { db, see } = await openAdmin(t);
  await db.query("select djr.publish('a&b', 'order_paid')");
  for (const path of ['', 'events/1/']) {
    const page = await see(path);
    t.regex(page, /href="\/realtime\/admin\/\?user=a%26b">a&amp;b<\/a>/, path);
    t.regex(page, /href="\/realtime\/admin\/\?type=order_paid">/, path);
  }
});

test('an event that no client got says in words that nobody was connected; a backend event does not', async (t) => {
  const { db, see } = await openAdmin(t);
  await db.query("select djr.publish('42', 'paid'), djr.publish_system('stale'), djr.publish('43', 'seen')");
  await db.query(
    "select djr.record_activity('inst', array[1, 2, 3, 3], array['dispatched', 'dispatched', 'dispatched', 'sent'], array[null, null, null, '43'], array[null, null, null, 1])",
  );
  const nobody = /<span class="pill nobody">nobody was connected<\/span>/;
  t.regex(await see('?id=1'), nobody);
  t.regex(await see('events/1/'), nobody);
  for (const id of [2, 3]) {
    t.notRegex(await see(`?id=${id}`), nobody);
    t.notRegex(await see(`events/${id}/`), nobody);
  }
});

test("djr's own orders are readable, and are not replayed", async (t) => {
  const { db, see, visit, confirm, post } = await openAdmin(t);
  await db.query(
    "select djr.publish_global('news'), djr.disconnect('42', 'logged out'), djr.recheck('42', 'room:7'), djr.recheck()",
  );
  const [news, ...orders] = (await db.query<{ id: string }>('select id from djr.event order by id')).map(({ id }) =>
    Number(id),
  );
  const page = await see('?scope=control');
  t.deepEqual(idsOf(page), [...orders].reverse());
  t.regex(page, />disconnect of user 42</);
  t.regex(page, />recheck of user 42 in room:7</);
  t.regex(page, />recheck of everyone</);
  t.notRegex(page, /replay of 0|Select event/);
  const order = await see(`events/${orders[0]}/`);
  t.regex(order, /<h1 class="type">disconnect of user 42<\/h1>/);
  t.notRegex(order, /Replay…/);

  t.is((await visit(`replay/?id=${orders[0]}`)).status, 400);
  const { token, cookie, ids, page: asked } = await confirm(news!, orders[0]!);
  t.is(ids, String(news));
  t.regex(asked, /Orders of djr itself are not replayed/);
  t.is((await post({ token, ids: `${news},${orders[0]}` }, { cookie })).status, 400);
  t.is((await db.query('select from djr.event')).length, 4);
});

test('a preset finds what was published lately, and a date beside it narrows it', async (t) => {
  const { db, see, visit } = await openAdmin(t);
  await db.query("select djr.publish_global('old'), djr.publish_global('new')");
  await db.query('alter table djr.event disable trigger all');
  await db.query("update djr.event set created_at = now() - interval '2 hours' where id = 1");
  const found = async (query: Record<string, string>) => idsOf(await see(`?${new URLSearchParams(query)}`));
  t.deepEqual(await found({ recent: 'last hour' }), [2]);
  t.deepEqual(await found({ recent: 'last 24 hours' }), [2, 1]);
  t.deepEqual(await found({ recent: 'last 24 hours', from: '2100-01-01' }), []);
  t.deepEqual(await found({ recent: 'last hour', from: '2020-01-01' }), [2]);
  const refused = await visit('?recent=lately');
  t.is(refused.status, 400);
  t.regex(await refused.text(), /must be one of last 15 minutes/);
});

test('what has no width or turns the direction is written out everywhere, and found again as it is written', async (t) => {
  const { db, see } = await openAdmin(t);
  const hidden = 'a\u200b\u202eb\u2066\u{e0041}';
  await db.query('select djr.publish($1::text, $1, $2, $2, $1), djr.publish_topic($1, $1)', [
    hidden,
    { [hidden]: hidden },
  ]);
  const raw = encodeURIComponent(hidden);
  for (const path of [
    '',
    'events/1/',
    'events/1/private/',
    'replay/?id=1',
    `?type=${raw}`,
    `?user=${raw}`,
    `?topic=${raw}`,
  ]) {
    const page = await see(path);
    t.notRegex(page, /[\u200b\u202e\u2066]|\u{e0041}/u, path);
    t.regex(page, /a\\u200b\\u202eb\\u2066\\u\{e0041\}/, path);
  }
  const written = 'a\\u200b\\u202eb\\u2066\\u{e0041}';
  t.deepEqual(idsOf(await see(`?${new URLSearchParams({ user: written })}`)), [1]);
  t.deepEqual(idsOf(await see(`?${new URLSearchParams({ type: written, topic: written })}`)), [2]);
  await db.query("select djr.publish_global('c:\\users\\u0041')");
  t.deepEqual(
    idsOf(await see(`?${new URLSearchParams({ type: 'c:\\users\\u0041' })}`)),
    [3],
    'letters mean themselves',
  );
});

test('with presence, a user and a topic say who is connected now', async (t) => {
  const { db, see, streamOf } = await openAdmin(t, { presence: true, authorizeTopic: () => true });
  await db.query("select djr.publish('ann', 'paid'), djr.publish_topic('room:7', 'said')");
  t.regex(await see('?user=ann'), /not connected now/);
  t.regex(await see('?topic=room:7'), /no user hears it now/);
  for (const user of ['ann', 'ann', 'bob']) await streamOf(user, '?topic=room:7');
  await until('presence is told', async () => /2 users hear it now<\/span> 3 streams/.test(await see('?topic=room:7')));
  t.regex(await see('events/2/'), /2 users hear it now/);
  for (const path of ['?user=ann', 'events/1/']) {
    const page = await see(path);
    t.regex(page, /connected now<\/span> 2 streams since <time/, path);
    t.regex(page, /href="\/realtime\/admin\/\?topic=room%3A7">room:7</, path);
  }
  t.notRegex(await see('?user=an*'), /connected now/);
});

test('without presence nothing is said of who is connected', async (t) => {
  const { db, see } = await openAdmin(t);
  await db.query("select djr.publish('ann', 'paid')");
  for (const path of ['?user=ann', 'events/1/']) t.notRegex(await see(path), /connected now/);
});

for (const mode of ['refuse', 'silent'] as const) {
  test(`while PostgreSQL is away (${mode}), the overview has health and charts, and other pages say so`, async (t) => {
    const proxy = await startProxy(t, (await createDatabase(t)).url);
    const { see, visit, lines } = await openAdmin(t, { database: proxy.url });
    proxy.mode = mode;
    if (mode === 'refuse') proxy.cut();
    await until('the overview misses the database', async () =>
      /PostgreSQL does not answer/.test(await see('overview/')),
    );
    const overview = await visit('overview/');
    t.is(overview.status, 200);
    const page = await overview.text();
    t.is([...page.matchAll(/<svg /g)].length, 6);
    t.notRegex(page, />Instances</);
    if (mode === 'refuse') {
      for (const path of ['', 'events/1/', 'replay/?id=1']) {
        const response = await visit(path);
        t.is(response.status, 503, path);
        t.regex(await response.text(), /href="\/realtime\/admin\/overview\/">To the overview/);
      }
    }
    t.is(
      lines.filter(({ message }) => /overview could not read/.test(message)).filter(({ level }) => level === 'warn')
        .length,
      1,
    );
    proxy.mode = 'pass';
    proxy.cut();
    await until('it is back', async () => /this one/.test(await see('overview/')));
  });
}
