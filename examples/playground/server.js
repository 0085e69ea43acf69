// @ts-check
/**
 * The page that one shows a colleague: SQL on the left, three browsers on the right, the frames below.
 *
 *   DATABASE_URL=… node examples/playground/server.js
 *
 * It runs what is typed, so it listens on loopback only and answers no other site. The login is the address: each pane
 * says who it is.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { createRealtime } from 'djr';
import { openDatabase } from './database.js';
import { statements } from './statements.js';

/** Who is in the room of the playground: they get a seal for it. */
const MEMBERS = ['ann'];
const ROOM = 'room:7';

const headers = {
  'Content-Security-Policy': "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'self'",
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** @param {string} path @param {string} type */
const file = async (path, type) => ({
  type: `${type}; charset=utf-8`,
  body: await readFile(new URL(path, import.meta.url)),
});

/** @param {string | undefined} url */
const parametersOf = (url) => new URL(url ?? '/', 'http://localhost').searchParams;

/** A page of another site could name this server by a host of its own, and would be of its origin then. @param {string | undefined} host */
const isLoopback = (host) => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host ?? '');

/** @param {{ databaseUrl: string, port?: number }} options */
export async function startPlayground({ databaseUrl, port = 8001 }) {
  const files = {
    '/': await file('public/index.html', 'text/html'),
    '/visitor': await file('public/visitor.html', 'text/html'),
    '/playground.js': await file('public/playground.js', 'text/javascript'),
    '/visitor.js': await file('public/visitor.js', 'text/javascript'),
    '/style.css': await file('public/style.css', 'text/css'),
  };
  const database = await openDatabase(databaseUrl);
  const realtime = createRealtime({
    database: databaseUrl,
    authenticate: (request) => parametersOf(request.url).get('as') || null,
  });

  /**
   * @param {import('node:http').IncomingMessage} request
   * @returns {Promise<{ status?: number, type?: string, body: string | Buffer }>}
   */
  async function answer(request) {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const found = request.method === 'GET' && /** @type {Record<string, (typeof files)['/']>} */ (files)[pathname];
    if (found) return found;
    const json = (/** @type {unknown} */ value) => ({ type: 'application/json', body: JSON.stringify(value) });
    switch (`${request.method} ${pathname}`) {
      case 'GET /statements':
        return json(statements);
      case 'GET /seal': {
        const user = searchParams.get('as') ?? '';
        return json({ topic: ROOM, seal: MEMBERS.includes(user) ? await database.seal(user, ROOM) : null });
      }
      case 'POST /run': {
        // A form of another site can send no JSON, and its script asks first, which is refused.
        if (request.headers['content-type'] !== 'application/json') return { status: 415, body: 'JSON, please.' };
        if (!(Number(request.headers['content-length']) <= 100_000)) return { status: 413, body: 'Too long.' };
        try {
          return json({ result: await database.run(JSON.parse(await text(request)).sql) });
        } catch (error) {
          const { message, code, detail, hint } = /** @type {import('pg').DatabaseError} */ (error);
          return json({ error: { message, code, detail, hint } });
        }
      }
      default:
        return { status: 404, body: 'There is no such page.' };
    }
  }

  const server = createServer((request, response) => {
    if (!isLoopback(request.headers.host)) return void response.writeHead(403, headers).end('Loopback only.');
    realtime.handler(request, response, () => {
      answer(request)
        .then(({ status = 200, type = 'text/plain', body }) =>
          response.writeHead(status, { ...headers, 'Content-Type': type }).end(body),
        )
        .catch((error) => {
          console.error(error);
          response.headersSent ? response.destroy() : response.writeHead(500, headers).end('Something broke. Sorry!');
        });
    });
  });

  async function close() {
    server.close();
    await realtime.stop();
    server.closeAllConnections();
    await database.close();
  }

  try {
    await realtime.start();
    await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', () => resolve(null)));
  } catch (error) {
    await close();
    throw error;
  }
  const { port: actual } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${actual}/`, close };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const databaseUrl = process.env.DATABASE_URL;
  if (!databaseUrl) throw new Error('Set DATABASE_URL, or run `djr demo`, which brings a database of its own.');
  const { url } = await startPlayground({ databaseUrl, port: Number(process.env.PORT ?? 8001) });
  console.log(`The playground is at ${url}`);
}
