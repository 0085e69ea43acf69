// @ts-check
/**
 * A chat room on djr: `DATABASE_URL=… node examples/chatroom/server.js`, in a database that has seen `djr migrate`.
 *
 * There is no table of messages: djr.event is one. SQL publishes, the browser hears a DOM event, htmx fetches.
 * The login is a name in the address, so anyone can be anyone, and each window of a browser somebody else; your app has a
 * real one to give to `authenticate`.
 */
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { createRealtime } from 'djr';
import pg from 'pg';
import { answer, as, clean, nameFrom } from './http.js';
import { oneTimeLink } from './one-time-link.js';
import { logPart, roomPage, signInPage, visitorsPart } from './views.js';

/** @param {{ databaseUrl: string, port?: number, host?: string }} options */
export async function startChatroom({ databaseUrl, port = 8000, host = '127.0.0.1' }) {
  const database = new pg.Pool({ connectionString: databaseUrl });
  database.on('error', () => {}); // The database ended an idle connection: the next query opens another.

  const admin = oneTimeLink('/realtime/admin/');
  const realtime = createRealtime({
    database: databaseUrl,
    authenticate: (request) => nameFrom(request.url) || null,
    admin: { authorize: admin.authorize },
  });

  // A backend subscriber. Were there two instances of this server, both would greet; under one key it happens once.
  realtime.subscribe('guest_entered', async ({ id, detail }) => {
    const greeting = { name: 'webmaster', to: detail.name, text: 'Welcome! Only you can see this.' };
    await database.query("select djr.publish($1::text, 'whisper', $2, key => $3)", [detail.name, greeting, `hi-${id}`]);
  });

  /**
   * What a guest may see, and where the stream stood then: in one statement, so of one moment.
   *
   * @param {string} name
   * @returns {Promise<import('./views.js').Room>}
   */
  async function readRoom(name) {
    const { rows } = await database.query(
      `select
         $1::text as name,
         djr.position() as since,
         (select count(*)::int from djr.event where type = 'guest_entered' and scope = 'public') as visitors,
         array(
           select to_jsonb(message)
           from (
             select id, type, detail, created_at
             from djr.event
             where (scope = 'public' and type in ('chat_message', 'guest_entered'))
                or (scope = 'user' and type = 'whisper' and user_id = $1)
             order by id desc
             limit 50
           ) as message
           order by message.id
         ) as messages`,
      [name],
    );
    return rows[0];
  }

  /** @type {import('./http.js').Routes} */
  const routes = {
    async 'GET /'({ name }) {
      if (!name) return { page: signInPage() };
      const room = await readRoom(name);
      // The stream begins where the page was read: no message falls in between.
      const script = realtime.scriptTag({ endpoint: as(name, '/realtime/sse/'), key: name, since: room.since });
      return { page: roomPage(room, script) };
    },
    'GET /log': async ({ name }) => ({ page: logPart(await readRoom(name)) }),
    'GET /visitors': async ({ name }) => ({ page: visitorsPart(await readRoom(name)) }),

    async 'POST /enter'({ form }) {
      const name = clean(form.name, 30);
      if (!name) return { status: 422, page: signInPage('Everybody has a name. What is yours?') };
      await database.query("select djr.publish_public('guest_entered', $1)", [{ name }]);
      return { redirect: as(name, '/') };
    },
    'POST /leave': async () => ({ redirect: '/' }),

    async 'POST /say'({ name, form }) {
      const [said, to] = [clean(form.text, 500), clean(form.to, 30)];
      if (name && said && to) {
        // For the one it is meant for and the one who wrote it, in one statement: both get it or neither.
        const whisper = 'select djr.publish(reader, $1, $2) from unnest($3::text[]) as reader';
        await database.query(whisper, ['whisper', { name, to, text: said }, [...new Set([to, name])]]);
      } else if (name && said) {
        await database.query("select djr.publish_public('chat_message', $1)", [{ name, text: said }]);
      }
      return { redirect: as(name, '/') };
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
