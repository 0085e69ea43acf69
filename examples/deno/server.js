/** djr in Deno: `deno run --allow-all server.js`. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { parseCookie, stringifySetCookie } from 'cookie';
import { createRealtime } from 'djr';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

/** The login: a cookie names a session, which this process remembers. @type {Map<string | undefined, string>} */
const sessions = new Map();

/** @param {Request} request */
const userOf = (request) => sessions.get(parseCookie(request.headers.get('cookie') ?? '').session) ?? null;

const realtime = createRealtime({ database: process.env.DATABASE_URL, authenticate: userOf });

/** Where the stream stands, and the permission to hear the lobby, in one snapshot. @param {string} user */
async function lobby(user) {
  const { rows } = await pool.query(`select djr.position() as since, djr.seal('lobby', $1::text) as seal`, [user]);
  const tag = realtime.scriptTag({ since: rows[0].since, topics: ['lobby'], seals: [rows[0].seal] });
  return `${tag}<script src="/lobby.js" defer></script><h1>${user} is in the lobby</h1>
<p>The stream is <span id="stream">connecting</span>.</p><ul id="lines" aria-live="polite"></ul>`;
}

const LOGIN =
  '<form method="post" action="/login"><label>Your name <input name="name"></label><button>Come in</button></form>';
const script = await readFile(new URL('./public/lobby.js', import.meta.url));

/** @param {Request} request */
async function answer(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/lobby.js') return new Response(script, { headers: { 'Content-Type': 'text/javascript' } });
  if (pathname === '/login' && request.method === 'POST') {
    const name = String((await request.formData()).get('name') ?? '');
    if (!/^\w{1,30}$/.test(name)) return new Response('A name has letters.', { status: 400 });
    const id = randomUUID();
    sessions.set(id, name);
    const cookie = stringifySetCookie({ name: 'session', value: id, httpOnly: true, sameSite: 'lax', path: '/' });
    return new Response(null, { status: 303, headers: { Location: '/', 'Set-Cookie': cookie } });
  }
  if (pathname !== '/') return new Response('There is nothing here.', { status: 404 });
  const user = userOf(request);
  const body = `<!doctype html><meta charset="utf-8"><title>Lobby</title>${user ? await lobby(user) : LOGIN}`;
  return new Response(body, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

await realtime.start();
// #region mount
const server = Deno.serve({ port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' }, (request, info) =>
  new URL(request.url).pathname.startsWith('/realtime/') ? realtime.fetch(request, info) : answer(request),
);
// #endregion

// #region stop
for (const signal of ['SIGTERM', 'SIGINT']) {
  Deno.addSignalListener(signal, async () => {
    await realtime.stop();
    await server.shutdown();
    await pool.end();
    Deno.exit(0);
  });
}
// #endregion
