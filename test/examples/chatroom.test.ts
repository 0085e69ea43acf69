import test, { type ExecutionContext } from 'ava';
import { startChatroom } from '../../examples/chatroom/server.js';
import { createDatabase } from '../helpers/database.js';

async function openRoom(t: ExecutionContext) {
  const database = await createDatabase(t);
  const room = await startChatroom({ databaseUrl: database.url, port: 0 });
  t.teardown(() => room.close());
  const visit = (path: string, name?: string) =>
    fetch(new URL(name ? `${path}?${new URLSearchParams({ as: name })}` : path, room.url));
  return {
    database,
    visit,
    see: async (path: string, name?: string) => (await visit(path, name)).text(),
    post: (path: string, form: Record<string, string>, name = '', headers: Record<string, string> = {}) =>
      fetch(new URL(name ? `${path}?${new URLSearchParams({ as: name })}` : path, room.url), {
        method: 'POST',
        redirect: 'manual',
        headers,
        body: new URLSearchParams(form),
      }),
  };
}

test('a guest signs in with a name, which is in the address of the window and in no cookie', async (t) => {
  const { database, see, post } = await openRoom(t);
  t.regex(await see('/'), /Sign the guestbook/);
  t.is((await post('/enter', { name: '  ' })).status, 422);

  const entered = await post('/enter', { name: ' Ann\n ' });
  t.is(entered.status, 303);
  t.is(entered.headers.get('location'), '/?as=Ann');
  t.is(entered.headers.get('set-cookie'), null);
  t.deepEqual(await database.query("select detail from djr.event where type = 'guest_entered'"), [
    { detail: { name: 'Ann' } },
  ]);
  t.regex(await see('/', 'Ann'), /data-since="\d+:\d+:[\d,]*"/);
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
  await database.query(`select djr.publish_global('chat_message', $1), djr.publish_global('chat_message')`, [
    { name: ['<script>'], text: { markup: '<script>' } },
  ]);
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
