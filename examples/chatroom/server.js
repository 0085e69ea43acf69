// @ts-check
/**
 * A chat room on djr: `DATABASE_URL=… node examples/chatroom/server.js`, in a database that has seen `djr migrate`.
 *
 * There is no table of messages: djr.event is one. SQL publishes, the browser hears a DOM event, htmx fetches.
 * Two rooms: who may hear the back room is decided in SQL, by the query that reads it (rooms.js).
 * The login is a name in the address, so anyone can be anyone, and each window of a browser somebody else; your app has a
 * real one to give to `authenticate`.
 */
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { createRealtime } from 'djr';
import pg from 'pg';
import { answer, as, clean, nameFrom } from './http.js';
import { oneTimeLink } from './one-time-link.js';
import * as sql from './rooms.js';
import { herePart, logPart, roomPage, signInPage, visitorsPart } from './views.js';

/** @param {{ databaseUrl: string, port?: number, host?: string }} options */
export async function startChatroom({ databaseUrl, port = 8000, host = '127.0.0.1' }) {
  const database = new pg.Pool({ connectionString: databaseUrl });
  database.on('error', () => {}); // The database ended an idle connection: the next query opens another.

  const admin = oneTimeLink('/realtime/admin/');
  const realtime = createRealtime({
    database: databaseUrl,
    authenticate: (request) => nameFrom(request.url) || null,
    admin: { authorize: admin.authorize },
    presence: true,
  });

  // A backend subscriber. Were there two instances of this server, both would greet; under one key it happens once.
  realtime.subscribe('guest_entered', async ({ id, detail }) => {
    const greeting = { name: 'webmaster', to: detail.name, text: 'Welcome! Only you can see this.' };
    await database.query("select djr.publish($1::text, 'whisper', $2, key => $3)", [detail.name, greeting, `hi-${id}`]);
  });

  /**
   * @param {import('./http.js').Place} place
   * @returns {Promise<import('./views.js').Room>}
   */
  const readRoom = async ({ name, room }) => (await database.query(sql.read, [name, room])).rows[0];

  /** By the form, a link or a page that is loaded again: under one key a guest enters once. @param {string} name */
  const enter = (name) =>
    database.query("select djr.publish_public('guest_entered', $1, key => $2)", [{ name }, `guest-${name}`]);

  /** @type {import('./http.js').Routes} */
  const routes = {
    async 'GET /'(visit) {
      if (!visit.name) return { page: signInPage() };
      await enter(visit.name);
      const room = await readRoom(visit);
      // The stream begins where the page was read: no message falls in between.
      const script = realtime.scriptTag({
        endpoint: as({ name: room.name }, '/realtime/sse/'),
        key: room.name,
        since: room.since,
        ...(room.seal && { topics: [room.topic], seals: [room.seal] }),
      });
      return { page: roomPage(room, script) };
    },
    'GET /log': async (visit) => ({ page: logPart(await readRoom(visit)) }),
    'GET /here': async (visit) => ({ page: herePart(await readRoom(visit)) }),
    'GET /visitors': async (visit) => ({ page: visitorsPart(await readRoom(visit)) }),

    async 'POST /enter'({ form }) {
      const name = clean(form.name, 30);
      if (!name) return { status: 422, page: signInPage('Everybody has a name. What is yours?') };
      return { redirect: as({ name }, '/') };
    },
    'POST /leave': async () => ({ redirect: '/' }),

    async 'POST /knock'({ name, room }) {
      if (name) await database.query(sql.knock, [name, room]);
      return { redirect: as({ name, room }, '/') };
    },
    async 'POST /let-in'({ name, room, form }) {
      const guest = clean(form.guest, 30);
      if (name && guest) await database.query(sql.letIn, [name, room, guest]);
      return { redirect: as({ name, room }, '/') };
    },
    async 'POST /give-up'({ name, room }) {
      await database.query(sql.giveUp, [name, room]);
      return { redirect: as({ name }, '/') };
    },

    async 'POST /type'({ name, room, form }) {
      // To whom a whisper is being written is nobody's business.
      if (name && !clean(form.to, 30)) await database.query(sql.type, [name, room]);
      return { redirect: as({ name, room }, '/') };
    },

    async 'POST /say'({ name, room, form }) {
      const [said, to] = [clean(form.text, 500), clean(form.to, 30)];
      if (name && said && to) {
        // For the one it is meant for and the one who wrote it, in one statement: both get it or neither.
        const whisper = 'select djr.publish(reader, $1, $2) from unnest($3::text[]) as reader';
        await database.query(whisper, ['whisper', { name, to, text: said }, [...new Set([to, name])]]);
      } else if (name && said) {
        await database.query(sql.say, [name, room, { name, text: said }]);
      }
      return { redirect: as({ name, room }, '/') };
    },
  };

  const server = createServer((request, response) => {
    realtime.handler(request, response, () => {
      answer(routes, request, response).catch((error) => {
        console.error(error);
        response.headersSent ? response.destroy() : response.writeHead(500).end('Something broke. Sorry!');
      });
    });
  });

  async function close() {
    server.close();
    await realtime.stop();
    server.closeAllConnections();
    await database.end();
  }

  try {
    await database.query(sql.install);
    await realtime.start();
    await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, () => resolve(null)));
  } catch (error) {
    await close();
    throw error;
  }
  const { port: actual } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://${host}:${actual}/`,
    /** Works once. */
    adminUrl: `http://${host}:${actual}${admin.link}`,
    close,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const databaseUrl = process.env.DATABASE_URL;
  if (!databaseUrl) throw new Error('Set DATABASE_URL, or run `djr demo`, which brings a database of its own.');
  const { url, adminUrl } = await startChatroom({ databaseUrl, port: Number(process.env.PORT ?? 8000) });
  console.log(
    `The chat room is at ${url}, for two guests in one browser at ${url}?as=Ann and ${url}?as=Bob\nIts admin, by a link that works once: ${adminUrl}`,
  );
}
