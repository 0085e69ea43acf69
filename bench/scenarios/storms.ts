import { now } from '../clock.js';
import { Crowd } from '../load/crowd.js';
import type { Sample } from '../metrics.js';
import type { Remote } from '../remote.js';
import type { System } from '../systems/system.js';
import { djrWith, type Variant } from '../systems/variants.js';
import { failuresOf, type Round, type Scenario } from './scenario.js';

/** Events that each client has missed. */
const BEHIND = 20;

/** Milliseconds between two looks at what the server holds. */
const LOOK = 200;

/** The storage of sessions that an app has: one for each client, and a look-up by the primary key. */
const SESSIONS = [
  'create table public.bench_session (token text primary key, user_id text not null, expires timestamptz not null)',
  `insert into public.bench_session select i::text, i::text, now() + interval '1 day' from generate_series(0, 99999) i`,
  'vacuum analyze public.bench_session',
];

/** The id of another instance's frame says the same place: whoever has no order of that instance goes by the frontier. */
const ofAnotherInstance = (lastEventId: string): string => lastEventId.replace(/^(\d+-)[0-9a-z]+/, '$1elsewhere');

async function run(round: Round): Promise<Sample> {
  const { publisher, readers, system, databaseUrl, variant, clients, step } = round;
  const { remote, address } = system!;
  const { header } = variant;
  const position = await readers.position({ ...address, path: address.path.replace('USER', '0'), header });
  const lastEventId = variant.name.includes('history') ? ofAnotherInstance(position) : position;
  await publisher.connect({ url: databaseUrl, connections: 1, statements: variant.statements });
  await publisher.burst({ events: BEHIND, together: false });
  await publisher.close(null);
  const crowd = new Crowd(clients);
  const before = await remote.usage(null);
  const watch = watchMemory(remote);
  try {
    await crowd.expect({ events: BEHIND, warmup: 0 }, true);
    const started = now();
    const all = { ...address, header, lastEventId, parallel: clients, again: true };
    const { refused } = await crowd.connect(all, (opened) => step(`${opened} opened`));
    const received = await crowd.received({ patience: 10_000, events: BEHIND });
    const rssMost = await watch.end();
    const after = await remote.usage(null);
    await crowd.close();
    return {
      metrics: {
        seconds: (received.last - started) / 1e6,
        queries: (after.statements ?? 0) - (before.statements ?? 0),
        cpuSeconds: (after.cpu - before.cpuBehind) / 1e6,
        rssMost: rssMost / 1e6,
        pause: after.pause,
        refused,
      },
      failures: failuresOf(received),
    };
  } finally {
    await watch.end();
    await crowd.end();
  }
}

/** The most that the server holds while the storm lasts, garbage included. */
function watchMemory(remote: Remote<System>): { end(): Promise<number> } {
  let most = 0;
  let ended = false;
  const watching = (async () => {
    while (!ended) {
      most = Math.max(most, await remote.resident(null));
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  })();
  return {
    async end() {
      ended = true;
      await watching;
      return most;
    },
  };
}

const from = (name: string, more: Partial<Variant> = {}): Variant => ({
  ...djrWith(name, more.setup ?? [], more.options),
  ...(more.header ? { header: more.header } : {}),
});

const STORAGE = { historyEvents: 1 };
const SESSION = { setup: SESSIONS, header: 'Cookie: session=USER' };

export const storms: Scenario = {
  name: 'storms-10000',
  about: `10,000 clients, ${BEHIND} events behind, reconnect at once with their Last-Event-ID: until all have caught up. From this instance's own order, from the history of an instance that they come to, from storage; with a login by JSON Web Token and by a query for the session.`,
  size: { clients: 10_000, seconds: 1, rounds: 2 },
  variants: [
    from('memory'),
    from('history'),
    from('storage', { options: STORAGE }),
    from('memory, JWT', { options: { login: 'jwt' }, header: 'Authorization: Bearer TOKEN' }),
    from('memory, session', { ...SESSION, options: { login: 'session' } }),
    from('storage, session', { ...SESSION, options: { ...STORAGE, login: 'session' } }),
  ].map((variant) => ({ ...variant, crowded: true })),
  columns: ['seconds', 'queries', 'cpuSeconds', 'rssMost', 'pause', 'refused'],
  ratios: [],
  fresh: true,
  long: true,
  run,
};
