import { request } from 'node:http';
import test from 'ava';
import { openAdmin } from '../helpers/admin.js';
import { until } from '../helpers/server.js';

const idsOf = (page: string): number[] => [...page.matchAll(/events\/(\d+)\/"/g)].map((match) => Number(match[1]));

test('whatever an event holds is text on every page', async (t) => {
  const { db, see } = await openAdmin(t);
  const evil = `<script>alert(1)</script>"'&amp;`;
  const [row] = await db.query<{ id: string }>('select djr.publish($1::text, $1, $2, $3, $1) as id', [
    evil,
    { [evil]: evil },
    { [evil]: evil },
  ]);
  const paths = ['', `?type=${encodeURIComponent(evil)}`, `?detail=${encodeURIComponent(evil)}`, `events/${row!.id}/`];
  for (const path of [...paths, `events/${row!.id}/private/`, `replay/?id=${row!.id}`, `events/${evil}/`]) {
    const page = await see(path);
    t.notRegex(page, /<script>/, path);
    if (path !== `events/${evil}/`) t.regex(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/, path);
  }
});

test('filters find events by each of their sides, and are in the address', async (t) => {
  const { db, see, realtime } = await openAdmin(t);
  await realtime.publish({ type: 'order_paid', userId: 42, detail: { order: { id: 7 }, lines: [1, 2] } });
  await realtime.publish({ type: 'order_shipped', userId: 7, detail: { order: { id: 8 } } });
  await realtime.publish({ scope: 'public', type: 'maintenance' });
  await realtime.publish({ type: 'cache_stale', scope: 'system' });
  await db.query('alter table djr.event disable trigger all');
  await db.query("update djr.event set created_at = '2026-01-02 03:04:05Z' where id = 1");
  const found = async (query: Record<string, string>) => idsOf(await see(`?${new URLSearchParams(query)}`));

  t.deepEqual(await found({}), [4, 3, 2, 1]);
  t.deepEqual(await found({ type: 'order_paid' }), [1]);
  t.deepEqual(await found({ type: 'order_*' }), [2, 1]);
  t.deepEqual(await found({ type: 'order%' }), []);
  t.deepEqual(await found({ user: '42' }), [1]);
  t.deepEqual(await found({ scope: 'system' }), [4]);
  t.deepEqual(await found({ id: '3' }), [3]);
  t.deepEqual(await found({ id: '9223372036854775807' }), []);
  t.deepEqual(await found({ to: '2026-01-03' }), [1]);
  t.deepEqual(await found({ from: '2026-01-02T03:04:05', to: '2026-01-02 03:04:06' }), [1]);
  t.deepEqual(await found({ detail: '{"order": {"id": 7}}' }), [1]);
  t.deepEqual(await found({ detail: '{"lines": [2]}', scope: 'user' }), [1]);
  const page = await see('?type=order_*&user=42');
  t.regex(page, /name="type" value="order_\*"/);
  t.regex(page, /name="user" value="42"/);
});

test('the status is found, and shown with the number of clients', async (t) => {
  const { db, see, realtime, stream } = await openAdmin(t);
  await db.query("select djr.configure(activity => 'summary')");
  await stream();
  await until('the setting is known', async () => {
    await realtime.publish({ scope: 'public', type: 'hello' });
    return idsOf(await see('?status=sent')).length > 0;
  });
  t.regex(await see('?status=sent'), /1 client</);
  t.deepEqual(idsOf(await see('?status=read')), []);
});

test('a filter that cannot be read is told so, and asks the database nothing', async (t) => {
  const { visit } = await openAdmin(t);
  for (const [query, sentence] of [
    ['id=x', /The id must be a whole number/],
    ['id=9223372036854775808', /The id must be a whole number/],
    ['scope=all', /The scope must be user, public, topic, system or control/],
    ['status=lost', /The status must be one of/],
    ['from=yesterday', /must be a date and time/],
    ['to=2026-13-45', /must be a date and time/],
    ['detail=[1]', /must be a JSON object/],
    ['detail={', /must be a JSON object/],
    ['detail={"a":"\\u0000"}', /must be a JSON object/],
    ['type=%00', /The type is too long/],
    [`user=${'u'.repeat(301)}`, /The user is too long/],
  ] as const) {
    const response = await visit(`?${query}`);
    t.is(response.status, 400, query);
    t.regex(await response.text(), sentence, query);
  }
  t.is((await visit(`?type=${'x'.repeat(9000)}`)).status, 400);
  t.is((await visit('?before=x&after=-1')).status, 200, 'a place that is none is the beginning');
});

test('2,500 events are paged without a gap or a repeat, there and back', async (t) => {
  const { db, see } = await openAdmin(t);
  await db.query(
    "select djr.publish_many(jsonb_agg(jsonb_build_object('scope', 'public', 'type', 'n', 'detail', '{}'::jsonb))) from generate_series(1, 2500)",
  );
  const next = (page: string, rel: string) =>
    new RegExp(`rel="${rel}" href="/realtime/admin/([^"]*)"`).exec(page)?.[1]?.replaceAll('&amp;', '&');
  const seen: number[] = [];
  let page = await see('?type=n');
  for (;;) {
    seen.push(...idsOf(page));
    const older = next(page, 'next');
    if (older === undefined) break;
    page = await see(older);
  }
  t.is(seen.length, 2500);
  t.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => b - a),
  );
  const back = await see(next(page, 'prev'));
  t.deepEqual(idsOf(back), seen.slice(-100, -50));
  t.is(next(page, 'first'), '?type=n');
});

test('one event: exact detail, private data only where it is asked for and then logged', async (t) => {
  const { db, see, lines, visit } = await openAdmin(t);
  await db.query(
    `select djr.publish('42', 'paid', '{"big": 12345678901234567890}', '{"card": "4242424242"}', 'key-1'), djr.replay(1)`,
  );
  const page = await see('events/1/');
  t.regex(page, /12345678901234567890/);
  t.regex(page, /key-1/);
  t.notRegex(page, /4242424242/);
  t.regex(page, /Replayed as<\/dt><dd><a href="\/realtime\/admin\/events\/2\/"/);
  t.regex(await see('events/2/'), /Replay of<\/dt><dd><a href="\/realtime\/admin\/events\/1\/"/);
  t.false(lines.some(({ message }) => /private data/.test(message)));

  t.regex(await see('events/1/private/'), /4242424242/);
  const logged = lines.find(({ message }) => /private data/.test(message))!;
  t.is(logged.context.event, '1');
  t.notRegex(JSON.stringify(logged), /4242424242/);
  t.is((await visit('events/99/')).status, 404);
  t.regex(await see('events/99/private/'), /There is none/);
});

test('what became of an event is a time line', async (t) => {
  const { db, see } = await openAdmin(t);
  await db.query(`select djr.publish('42', 'paid');`);
  await db.query("select djr.record_activity('inst', array[1], array['sent'], array['42'], array[3])");
  await db.query("select djr.acknowledge('42', array[1], 'read')");
  const page = await see('events/1/');
  t.regex(page, /<li class="sent">[\s\S]*3 clients[\s\S]*inst[\s\S]*<li class="read">/);
});

test('the selected are replayed after a confirmation, once', async (t) => {
  const { db, confirm, post, visit, lines } = await openAdmin(t);
  await db.query("select djr.publish('42', 'paid', '{\"n\": 1}'), djr.publish_global('news')");
  const { token, cookie, setCookie, ids, page } = await confirm(2, 1, 99);
  t.regex(page, /Replay these 2 events\?/);
  t.regex(page, /Every connected client gets 1 of them/);
  t.regex(page, /left out: 99/);
  t.is(ids, '2,1');
  t.regex(setCookie, /HttpOnly/);
  t.regex(setCookie, /SameSite=Strict/);
  t.regex(setCookie, /Path=\/realtime\/admin/);
  t.is((await db.query('select from djr.event')).length, 2, 'asking sends nothing');

  const response = await post({ token, ids }, { cookie, 'sec-fetch-site': 'same-origin' });
  t.is(response.status, 303);
  t.is(response.headers.get('location'), '/realtime/admin/replay/?done=3,4');
  const result = await (await visit('replay/?done=3,4')).text();
  t.regex(result, /2 events replayed/);
  t.deepEqual(idsOf(result), [3, 4]);
  t.deepEqual(await db.query('select type, replay_of from djr.event where id > 2 order by id'), [
    { type: 'news', replay_of: '2' },
    { type: 'paid', replay_of: '1' },
  ]);
  t.true(lines.some(({ message, context }) => /replayed in the admin/.test(message) && context.replayed));
});

test('a form of another page, browser or site replays nothing', async (t) => {
  const { db, origin, confirm, post, visit } = await openAdmin(t);
  await db.query("select djr.publish_global('news')");
  const { token, cookie, ids } = await confirm(1);
  const { cookie: other } = await confirm(1);
  for (const [name, body, headers] of [
    ['no token', { ids }, { cookie }],
    ['no cookie', { ids, token }, {}],
    ["another browser's cookie", { ids, token }, { cookie: other }],
    ['a cookie of their own making', { ids, token }, { cookie: 'djr_admin=x' }],
    ['a token changed', { ids, token: token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }, { cookie }],
    ['another site', { ids, token }, { cookie, origin: 'https://evil.example' }],
    ['a sandboxed frame', { ids, token }, { cookie, origin: 'null' }],
    ['a sister site', { ids, token }, { cookie, origin, 'sec-fetch-site': 'same-site' }],
  ] as const) {
    t.is((await post(body, headers)).status, 403, name);
  }
  const json = { cookie, 'content-type': 'application/json' };
  t.is((await visit('replay/', { method: 'POST', body: JSON.stringify({ ids, token }), headers: json })).status, 400);
  t.is((await db.query('select from djr.event')).length, 1);
  t.is((await post({ ids, token }, { cookie, origin })).status, 303);
});

test('a replay that cannot be is a sentence', async (t) => {
  const { db, confirm, post, visit } = await openAdmin(t);
  await db.query("select djr.publish_global('news')");
  const { token, cookie } = await confirm(1);
  const refused = async (ids: string) => {
    const response = await post({ token, ids }, { cookie });
    return [response.status, await response.text()] as const;
  };
  const many = Array.from({ length: 101 }, (_, index) => index + 1).join(',');
  for (const [ids, status, sentence] of [
    ['', 400, /No event is selected/],
    ['1,x', 400, /Ids are whole numbers/],
    ['1;drop table x', 400, /Ids are whole numbers/],
    [many, 400, /At most 100/],
    ['77', 404, /There is no event 77/],
  ] as const) {
    const [got, page] = await refused(ids);
    t.is(got, status, ids);
    t.regex(page, sentence);
  }
  t.is((await visit('replay/')).status, 400);
  t.is(
    (
      await visit(
        `replay/?${many
          .split(',')
          .map((id) => `id=${id}`)
          .join('&')}`,
      )
    ).status,
    400,
  );
  await db.query('select djr.configure(storage => false)');
  const [status, page] = await refused('1');
  t.is(status, 400);
  t.regex(page, /storage is off/);
  t.is((await post({ token, ids: '1', rest: 'x'.repeat(20_000) }, { cookie })).status, 413);
});

test('the live view gets events of every scope as they come, and never private data', async (t) => {
  const { db, root } = await openAdmin(t);
  const text = await new Promise<string>((resolve, reject) => {
    let got = '';
    const watching = request(`${root}live/stream/`, { headers: { 'x-admin': 'yes' } }, (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (got === '')
          void db.query(`select djr.publish('7', 'paid', '{"n": 1}', '{"card": "4242"}'), djr.publish_system('stale')`);
        got += chunk;
        if (!got.includes('stale')) return;
        response.destroy();
        resolve(got);
      });
    });
    watching.on('error', reject).end();
  });
  t.regex(text, /event: event\ndata: \{"id":1,"type":"paid","scope":"user","user":"7","detail":"\{\\"n\\":1\}"/);
  t.notRegex(text, /4242/);
});

test('stopping ends the live views, and there are at most twenty', async (t) => {
  const { realtime, root } = await openAdmin(t);
  const streams = await Promise.all(
    Array.from({ length: 21 }, () => fetch(`${root}live/stream/`, { headers: { 'x-admin': 'yes' } })),
  );
  t.deepEqual(
    streams.map(({ status }) => status).filter((status) => status !== 200),
    [503],
  );
  const ended = Promise.all(streams.map((response) => response.text()));
  await realtime.stop();
  await t.notThrowsAsync(ended);
});

test('the overview has charts, instances and settings', async (t) => {
  const { see } = await openAdmin(t);
  await until('the instance has said that it is there', async () => /this one/.test(await see('overview/')));
  const page = await see('overview/');
  t.is([...page.matchAll(/<svg /g)].length, 6);
  t.regex(page, /aria-label="Connections, the last ten minutes: now 0, at most 0"/);
  t.regex(page, /auto, now notify/);
});

test('the overview shows consumers where there are any, and which must be reset', async (t) => {
  const { db, see } = await openAdmin(t);
  t.notRegex(await see('overview/'), /Consumers/);
  await db.query(`select djr.create_consumer('<billing>', types => array['paid']), djr.publish_public('paid')`);
  const page = await see('overview/');
  t.regex(page, /<h2 id="consumers">Consumers<\/h2>/);
  t.regex(page, /<code>&lt;billing&gt;<\/code>[\s\S]*paid[\s\S]*goes on[\s\S]*data-label="Events due">1</);
  await db.query('delete from djr.event');
  t.regex(await see('overview/'), /overtaken<\/span> events were deleted before it had them/);
});

test('a search that takes too long is ended, and the page says so', async (t) => {
  const { db, visit } = await openAdmin(t);
  const blocker = await db.connect();
  await blocker.query('begin; lock table djr.activity');
  await db.query("select djr.publish_global('news')");
  const response = await visit('?status=sent');
  t.is(response.status, 503);
  t.regex(await response.text(), /was ended after 3 seconds/);
  await blocker.query('rollback');
  t.is((await visit()).status, 200);
});
