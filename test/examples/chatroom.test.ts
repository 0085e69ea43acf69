import test, { type ExecutionContext } from 'ava';
import { startChatroom } from '../../examples/chatroom/server.js';
import { createDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';

async function openRoom(t: ExecutionContext) {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const at = (path: string, name = '', query: Record<string, string> = {}) =>
    new URL(name ? `${path}?${new URLSearchParams({ as: name, ...query })}` : path, room.url);
  const visit = (path: string, name?: string, query?: Record<string, string>) => fetch(at(path, name, query));
  const submit = (url: URL, form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(url, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(form) });
  return {
    database,
    visit,
    see: async (path: string, name?: string) => (await visit(path, name)).text(),
    post: (path: string, form: Record<string, string>, name = '', headers: Record<string, string> = {}) =>
      submit(at(path, name), form, headers),
    /** The same, in the back room. */
    back: {
      see: async (path: string, name: string) => (await visit(path, name, { room: 'back' })).text(),
      post: (path: string, form: Record<string, string>, name: string) =>
        submit(at(path, name, { room: 'back' }), form),
    },
    /** What a stream of this guest may hear with what the page of another one had in it. */
    async hears(name: string, page: string) {
      const seal = /data-seal="([^"]+)"/.exec(page)?.[1];
      const url = at('/realtime/sse/', name, { topic: 'room:back', ...(seal && { seal }) });
      const aborter = new AbortController();
      t.teardown(() => aborter.abort());
      const { body } = await fetch(url, { signal: aborter.signal });
      const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.includes('"connected"')) text += (await reader.read()).value;
      const frame = text.split('\n').find((each) => each.startsWith('data:') && each.includes('"connected"'))!;
      return (JSON.parse(frame.slice(5)) as { topics: string[] }).topics;
    },
  };
}

test('a guest signs in with a name, which is in the address of the window and in no cookie', async (t) => {
  const { see, post } = await openRoom(t);
  t.regex(await see('/'), /Sign the guestbook/);
  t.is((await post('/enter', { name: '  ' })).status, 422);

  const entered = await post('/enter', { name: ' Ann\n ' });
  t.is(entered.status, 303);
  t.is(entered.headers.get('location'), '/?as=Ann');
  t.is(entered.headers.get('set-cookie'), null);
  t.regex(await see('/', 'Ann'), /data-since="\d+:\d+:[\d,]*"/);
});

test('who comes by a link is a guest as well, and is one when the page is loaded again', async (t) => {
  const { database, see } = await openRoom(t);
  await see('/', 'Ann');
  await see('/', 'Bob');
  t.regex(await see('/', 'Ann'), /class="hidden">2</);
  t.deepEqual(await database.query("select detail from djr.event where type = 'guest_entered' order by id"), [
    { detail: { name: 'Ann' } },
    { detail: { name: 'Bob' } },
  ]);
});

test('a name that is too long ends between two characters', async (t) => {
  const { see, post } = await openRoom(t);
  const name = `${'x'.repeat(29)}😀😀`;
  t.is((await post('/enter', { name })).headers.get('location'), `/?as=${encodeURIComponent(name.slice(0, -2))}`);
  t.regex(await see('/', name), /😀/);
});

test('a message is seen by all, a whisper by the two whom it concerns', async (t) => {
  const { see, post } = await openRoom(t);
  t.is((await post('/say', { text: 'hello all' }, 'Ann', { 'hx-request': 'true' })).status, 204);
  t.is((await post('/say', { text: 'psst', to: 'Bob' }, 'Ann')).status, 303);
  for (const name of ['Ann', 'Bob', 'Eve']) t.regex(await see('/log', name), /hello all/);
  t.regex(await see('/log', 'Bob'), /whispers to you: psst/);
  t.regex(await see('/log', 'Ann'), /whispers to Bob: psst/);
  t.notRegex(await see('/log', 'Eve'), /psst/);
  t.notRegex(await see('/', 'Eve'), /psst/);
});

test('whatever anyone writes is text, in names and events from SQL too', async (t) => {
  const { database, see, post, visit } = await openRoom(t);
  const evil = `"><img src=x onerror=alert(1)>'`;
  await post('/say', { text: `<script>alert(1)</script>${evil}`, to: '' }, evil);
  await post('/say', { text: evil, to: evil }, evil);
  await database.query(
    `select djr.publish_topic('room:lobby', 'chat_message', $1), djr.publish_topic('room:lobby', 'chat_message')`,
    [{ name: ['<script>'], text: { markup: '<script>' } }],
  );
  for (const page of [await see('/', evil), await see('/log', evil), await see('/log')]) {
    t.notRegex(page, /<script>|<img/);
    t.regex(page, /&lt;script&gt;alert\(1\)/);
  }
  t.regex((await visit('/', 'Ann')).headers.get('content-security-policy')!, /default-src 'self'/);
});

test('the admin is behind a link that works once', async (t) => {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const open = (url: string | URL, cookie = '') => fetch(url, { redirect: 'manual', headers: { cookie } });
  const admin = new URL('/realtime/admin/', room.url);
  t.is((await open(admin)).status, 403);
  t.is((await open(`${admin}?key=wrong`)).status, 403);

  t.is((await fetch(room.adminUrl, { method: 'HEAD' })).status, 403, 'a look at the link does not use it up');
  const opened = await open(room.adminUrl);
  t.is(opened.status, 303);
  t.is(opened.headers.get('location'), '/realtime/admin/');
  const cookie = opened.headers.get('set-cookie')!;
  t.regex(cookie, /HttpOnly.*SameSite=Strict/);
  t.is((await open(admin, cookie.split(';')[0])).status, 200);
  t.is((await open(room.adminUrl)).status, 403, 'the link is spent');
});

test('nothing is said without a name or a word, and no form is endless', async (t) => {
  const { database, post } = await openRoom(t);
  await post('/say', { text: 'who am I?' });
  await post('/say', { text: ' ' }, 'Ann');
  t.is((await post('/say', { text: 'x'.repeat(20_000) }, 'Ann')).status, 413);
  t.deepEqual(await database.query('select * from djr.event'), []);
});

test('the back room is for members: whoever knocks at an empty one, and those whom a member lets in', async (t) => {
  const { see, back, hears } = await openRoom(t);
  t.regex(await back.see('/', 'Ann'), /Members only/);
  await back.post('/knock', {}, 'Ann');
  await back.post('/knock', {}, 'Eve');
  await back.post('/let-in', { guest: 'Eve' }, 'Eve');
  await back.post('/say', { text: 'a secret' }, 'Ann');
  await back.post('/say', { text: 'let me in' }, 'Eve');
  t.regex(await back.see('/log', 'Ann'), /a secret/);
  t.notRegex(await back.see('/log', 'Ann'), /let me in/);
  for (const path of ['/', '/log', '/here']) t.notRegex(await back.see(path, 'Eve'), /a secret|data-seal|Ann/, path);
  t.notRegex(await see('/log', 'Ann'), /a secret/, 'what is said in a room stays in it');

  await back.post('/let-in', { guest: 'Bob' }, 'Ann');
  t.regex(await back.see('/log', 'Bob'), /a secret/);
  t.regex(await see('/log', 'Bob'), /The door is open for you/);
  t.deepEqual(await hears('Bob', await back.see('/', 'Bob')), ['room:back']);
  t.deepEqual(await hears('Eve', await back.see('/', 'Bob')), [], 'a seal is for whom the page was made');
});

test('who gives the key back hears no more, with a seal of before either', async (t) => {
  const { back, hears } = await openRoom(t);
  await back.post('/knock', {}, 'Ann');
  const page = await back.see('/', 'Ann');
  t.deepEqual(await hears('Ann', page), ['room:back']);
  t.is((await back.post('/give-up', {}, 'Ann')).headers.get('location'), '/?as=Ann');
  await until('she hears no more', async () => (await hears('Ann', page)).length === 0);
  t.regex(await back.see('/', 'Ann'), /Knock/);
  t.pass();
});

test('two servers start on one database, and on one that has the table', async (t) => {
  const { database, back, see } = await openRoom(t);
  await back.post('/knock', {}, 'Ann');
  const other = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => other.close());
  t.regex(await (await fetch(new URL('/?as=Ann&room=back', other.url))).text(), /Let in/);
  t.regex(await see('/', 'Ann'), /Lobby/);
});
