/** djr in Deno: `deno run --allow-all server.js`. */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createRealtime } from 'djr';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

/** The login: a name in a cookie; your app has a real one. @param {Request} request */
const userOf = (request) => /(?:^|; )name=(\w{1,30})/.exec(request.headers.get('cookie') ?? '')?.[1] ?? null;

const realtime = createRealtime({ database: pool, authenticate: userOf });

/** Where the stream stands, and the permission to hear the lobby, in one snapshot. @param {string} user */
async function lobby(user) {
  const { rows } = await pool.query(`select djr.position() as since, djr.seal('lobby', $1::text) as seal`, [user]);
  const tag = realtime.scriptTag({ since: rows[0].since, topics: ['lobby'], seals: [rows[0].seal] });
  return `${tag}<script src="/lobby.js" defer></script><h1>${user} is in the lobby</h1><p id="last" aria-live="polite"></p>`;
}

const LOGIN =
  '<form method="post" action="/login"><label>Your name <input name="name"></label><button>Come in</button></form>';
const script = await readFile(new URL('./public/lobby.js', import.meta.url));

/** @param {Request} request @param {object} server - it knows the client's address */
async function answer(request, server) {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith('/realtime/')) return realtime.fetch(request, server);
  if (pathname === '/lobby.js') return new Response(script, { headers: { 'Content-Type': 'text/javascript' } });
  if (pathname === '/login' && request.method === 'POST') {
    const name = String((await request.formData()).get('name') ?? '');
    const cookie = /^\w{1,30}$/.test(name) ? { 'Set-Cookie': `name=${name}; HttpOnly; SameSite=Lax; Path=/` } : {};
    return new Response(null, { status: 303, headers: { Location: '/', ...cookie } });
  }
  if (pathname !== '/') return new Response('There is nothing here.', { status: 404 });
  const user = userOf(request);
  const body = `<!doctype html><meta charset="utf-8"><title>Lobby</title>${user ? await lobby(user) : LOGIN}`;
  return new Response(body, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

await realtime.start();
const server = Deno.serve({ port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' }, answer);

for (const signal of ['SIGTERM', 'SIGINT']) {
  Deno.addSignalListener(signal, async () => {
    await realtime.stop();
    await server.shutdown();
    await pool.end();
    Deno.exit(0);
  });
}
