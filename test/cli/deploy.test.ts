import { type ClientRequest, request } from 'node:http';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';
import { start } from './helpers.js';

const CLIENTS = 1000;
const USERS = 10;

/** An EventSource behind a load balancer: it goes to its own instance, and where that refuses to another. */
class Client {
  readonly user: string;
  /** Numbers of events, as often as they came. */
  readonly got: number[] = [];
  readonly retries: number[] = [];
  /** Frames that tell `reset`. */
  resets = 0;
  /** Which instance each of its streams was of, and the id that it came with. */
  readonly streams: { instance: number; lastEventId: string }[] = [];
  connected = false;
  /** Until then it asks its own instance again where that refuses: a login may take too long on a busy machine. */
  mayMove = false;
  readonly #addresses: readonly string[];
  #lastEventId = '';
  #rest = '';
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param addresses - in the order in which it tries them */
  constructor(user: string, addresses: readonly string[]) {
    this.user = user;
    this.#addresses = addresses;
    this.#connect(0);
  }

  #connect(instance: number): void {
    const headers: Record<string, string> = { cookie: `user=${this.user}` };
    const lastEventId = this.#lastEventId;
    if (lastEventId !== '') headers['last-event-id'] = lastEventId;
    let open = false;
    this.#rest = '';
    this.#request = request(`${this.#addresses[instance]}sse/`, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        return;
      }
      open = true;
      this.streams.push({ instance, lastEventId });
      response.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
      response.on('error', () => {});
    });
    this.#request.on('error', () => {});
    this.#request.once('close', () => {
      this.connected = false;
      if (this.#closed) return;
      // A stream that ended begins again after `retry`; who was refused is sent on to the next instance.
      if (open) this.#timer = setTimeout(() => this.#connect(0), this.retries.at(-1));
      else
        this.#timer = setTimeout(() => this.#connect(this.mayMove ? (instance + 1) % this.#addresses.length : 0), 20);
    });
    this.#request.end();
  }

  /** Frames as the specification has them: a field counts when its frame has ended. */
  #read(chunk: string): void {
    const frames = (this.#rest + chunk).split('\n\n');
    this.#rest = frames.pop()!;
    for (const frame of frames) {
      for (const line of frame.split('\n')) {
        if (line.startsWith('id: ')) this.#lastEventId = line.slice(4);
        else if (line.startsWith('retry: ')) this.retries.push(Number(line.slice(7)));
        else if (line.startsWith('data: ')) this.#event(JSON.parse(line.slice(6)));
      }
    }
  }

  #event(data: { type: string; n: number }): void {
    if (data.type === 'connected') this.connected = true;
    else if (data.type === 'reset') this.resets += 1;
    else this.got.push(data.n);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }
}

test('SIGTERM under load: every client is told when to come, goes on at the other instance, and lacks nothing', async (t) => {
  t.timeout(300_000);
  const database = await createDatabase(t);
  const login = ['--session-sql', 'select $1', '--session-cookie', 'user', '--log-level', 'warn'];
  const serves = [1, 2].map(() => start(t, ['serve', '-d', database.url, '--port', '0', ...login]));
  const addresses = await Promise.all(serves.map(async (serve) => (await serve.printed(/^listening on (\S+)\n/))[1]!));
  const clients: Client[] = [];
  t.teardown(() => {
    for (const client of clients) client.close();
  });
  while (clients.length < CLIENTS) {
    const n = clients.length;
    const own = n % 2 === 0 ? addresses : [...addresses].reverse();
    clients.push(new Client(`u${Math.floor(n / 2) % USERS}`, own));
    // A few at a time, as logins take theirs.
    if (n % 50 === 49) await until('they are connected', () => clients.every(({ connected }) => connected), 120);
  }

  let published = 0;
  let publishing = true;
  const publisher = (async () => {
    while (publishing) {
      published += 1;
      const n = published;
      // One in two is for a user, the other for all.
      if (n % 2) await database.query("select djr.publish($1, 'task', $2)", [`u${n % USERS}`, { n }]);
      else await database.query("select djr.publish_global('task', $1)", [{ n }]);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })();
  await until('events are on their way', () => published > 20);
  for (const client of clients) client.mayMove = true;
  serves[0]!.child.kill('SIGTERM');
  const { code } = await serves[0]!.ended;
  t.is(code, 0);
  const moved = clients.filter((_, n) => n % 2 === 0);
  await until('all are at the other instance', () => moved.every(({ streams }) => streams.at(-1)!.instance === 1), 120);
  const before = published;
  await until('events are on their way', () => published > before + 20);
  publishing = false;
  await publisher;

  const wanted = (user: string) =>
    Array.from({ length: published }, (_, i) => i + 1).filter((n) => n % 2 === 0 || `u${n % USERS}` === user);
  const lacks = ({ user, got }: Client) => {
    const has = new Set(got);
    return wanted(user).filter((n) => !has.has(n));
  };
  await until('all have everything', () => clients.every((client) => lacks(client).length === 0));
  t.deepEqual(
    clients.flatMap(({ user, got }) => {
      const own = new Set(wanted(user));
      return got.filter((n) => !own.has(n));
    }),
    [],
    'nobody gets what is for somebody else',
  );
  t.true(clients.every(({ resets }) => resets === 0));
  for (const [n, { streams, retries }] of clients.entries()) {
    if (n % 2) t.is(streams.length, 1, 'who was at the other instance stays');
    else {
      t.is(streams.length, 2);
      t.not(streams[1]!.lastEventId, '');
      // The beginning of each stream has one, and the end of the first.
      t.is(retries.length, 3);
      t.true(retries[1]! >= 500 && retries[1]! <= 5000);
    }
  }
  serves[1]!.child.kill('SIGTERM');
  t.is((await serves[1]!.ended).code, 0);
});
