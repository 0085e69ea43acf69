import test from 'ava';
import type { RealtimeOptions } from '../../../src/index.js';
import type { TestDatabase } from '../../helpers/database.js';
import { startApp, type TestApp } from '../../helpers/server.js';
import type { Stream } from '../../helpers/stream.js';

/** Who asks for room:7, with what in hand, and whether they may hear it. */
interface Identity {
  readonly user: string | null;
  /** SQL that makes a seal, and what is done to it. */
  readonly seal?: string;
  readonly spoil?: (seal: string) => string;
  /** Of its query. */
  readonly asks?: string;
  readonly hears?: true;
}

const forge = (seal: string): string => {
  const [version, key, , signature] = seal.split('.');
  const content = Buffer.from(JSON.stringify(['room:7', 'forger', 9_999_999_999, '1:9999999:'])).toString('base64url');
  return [version, key, content, signature].join('.');
};

const IDENTITIES: Record<string, Identity> = {
  anonymous: { user: null },
  'a user': { user: 'user' },
  'another user': { user: 'other' },
  'a member by the function': { user: 'member', hears: true },
  'a member who does not ask': { user: 'silent', asks: '' },
  'a former member': { user: 'former' },
  'the holder of a seal': { user: 'sealed', seal: `djr.seal('room:7', 'sealed')`, hears: true },
  "the holder of another topic's seal": {
    user: 'elsewhere',
    asks: 'topic=room:7',
    seal: `djr.seal('room:8', 'elsewhere')`,
  },
  'the holder of an expired seal': { user: 'late', seal: `djr.seal('room:7', 'late', '1 millisecond')` },
  'the holder of a forged seal': { user: 'forger', seal: `djr.seal('room:8', 'forger')`, spoil: forge },
  "the holder of another user's seal": { user: 'thief', seal: `djr.seal('room:7', 'sealed')` },
  'the anonymous holder of a seal of a user': { user: null, seal: `djr.seal('room:7', 'sealed')` },
  'the holder of a seal for whoever has it': { user: 'bearer', seal: `djr.seal('room:7')`, hears: true },
  'the anonymous holder of a seal for whoever has it': { user: null, seal: `djr.seal('room:7')`, hears: true },
};

/** The function of the app knows the members; room:8 is nobody's. */
const MEMBERS = `
  create table member (user_id text, topic text);
  insert into member values ('member', 'room:7'), ('silent', 'room:7'), ('former', 'room:7');
  create function may_hear(user_id text, topic text) returns boolean stable language sql as
    'select exists (select from member m where m.user_id = $1 and m.topic = $2)';
  select djr.configure(authorize_topic => 'public.may_hear')`;

/** One event of each scope, and one of a topic that nobody here may hear; each user has one of their own. */
const PUBLISH = `
  with own as (select djr.publish(u, 'own_' || u) from unnest($1::text[]) u)
  select (select count(*) from own), djr.publish_public('public'), djr.publish_topic('room:7', 'topic'),
    djr.publish_topic('room:8', 'elsewhere'), djr.publish_system('system'), djr.publish_system('system_of', '{}', 'user')`;

const USERS = Object.values(IDENTITIES).flatMap(({ user }) => user ?? []);

type Opened = [name: string, stream: Stream][];

/** Everybody, with what they have in hand. */
class Audience {
  readonly #seals = new Map<string, string>();
  readonly #db: TestDatabase;

  constructor(db: TestDatabase) {
    this.#db = db;
  }

  async prepare(): Promise<void> {
    await this.#db.query(MEMBERS);
    for (const [name, { seal, spoil }] of Object.entries(IDENTITIES)) {
      if (!seal) continue;
      const [row] = await this.#db.query<{ seal: string }>(`select ${seal} as seal`);
      this.#seals.set(name, encodeURIComponent(spoil ? spoil(row!.seal) : row!.seal));
    }
  }

  /** @param times - how many streams each opens, all at once */
  async open(app: TestApp, more = '', lastEventIds?: Opened, times = 1): Promise<Opened> {
    const all = Object.entries(IDENTITIES).flatMap((entry) => Array.from({ length: times }, () => entry));
    return Promise.all(
      all.map(async ([name, { user, asks = 'topic=room:7&topic=room:8' }]): Promise<[string, Stream]> => {
        const seal = this.#seals.get(name);
        const query = `?${asks}${seal ? `&seal=${seal}` : ''}${more}`;
        const lastEventId = lastEventIds?.find(([other]) => other === name)?.[1].lastEventId;
        const options = lastEventId === undefined ? {} : { lastEventId };
        return [name, user === null ? await app.stream(query, options) : await app.streamOf(user, query, options)];
      }),
    );
  }

  /** The former member leaves the room; resolves when each of their open streams has heard of it. */
  async expel(open: Opened = []): Promise<void> {
    await this.#db.query(
      `with gone as (delete from member where user_id = 'former') select djr.recheck('former', 'room:7')`,
    );
    for (const [name, stream] of open) if (name === 'a former member') await stream.event('left');
  }

  publish(): Promise<unknown> {
    return this.#db.query(PUBLISH, [USERS]);
  }

  async position(): Promise<string> {
    return (await this.#db.query<{ p: string }>('select djr.position() as p'))[0]!.p;
  }

  async end(open: Opened): Promise<void> {
    await this.#db.query(`select djr.publish_public('end')`);
    await Promise.all(open.map(([, stream]) => stream.event('end')));
  }
}

interface Stage {
  readonly app: TestApp;
  readonly audience: Audience;
  /** Another instance on the same database. */
  another(): Promise<TestApp>;
}

/** How events come to a client: publishes, and returns the streams that may have got them. */
type Path = (stage: Stage) => Promise<Opened>;

const live: Path = async ({ app, audience }) => {
  const open = await audience.open(app);
  await audience.expel(open);
  await audience.publish();
  return open;
};

/** Everybody was there, and comes back when the events are published. */
const comesBack =
  (where: (stage: Stage) => Promise<TestApp>, times = 1): Path =>
  async (stage) => {
    const { app, audience } = stage;
    const before = await audience.open(app);
    for (const [, stream] of before) stream.close();
    await audience.expel();
    await audience.publish();
    return audience.open(await where(stage), '', before, times);
  };

const since =
  (parameter: string): Path =>
  async ({ app, audience }) => {
    await audience.expel();
    const position = await audience.position();
    await audience.publish();
    // What is new on this instance has been heard.
    const witness = await app.streamOf('user', `?since=${position}`);
    await witness.event('own_user');
    return audience.open(app, `&${parameter}=${position}`);
  };

const replayed: Path = async ({ app, audience }) => {
  await audience.publish();
  await audience.expel();
  const open = await audience.open(app);
  await app.db.query(`select djr.replay(array_agg(id order by id)) from djr.event where scope <> 'control'`);
  return open;
};

const STORAGE = { historyEvents: 0 };
const here = async ({ app }: Stage) => app;
const elsewhere = ({ another }: Stage) => another();

const PATHS: Record<string, { path: Path; options?: RealtimeOptions; delivery?: string; others?: false }> = {
  'by NOTIFY': { path: live },
  'by sweeps alone': { path: live, delivery: 'sweep' },
  'behind beforeSend': { path: live, options: { beforeSend: async (event) => event } },
  'as replays': { path: replayed },
  'coming back, from memory': { path: comesBack(here) },
  'coming back to another instance, from its history': { path: comesBack(elsewhere) },
  'coming back, from storage': { path: comesBack(here), options: STORAGE },
  'coming back behind beforeSend, from storage': {
    path: comesBack(here),
    options: { ...STORAGE, beforeSend: (event) => event },
  },
  'coming back with many, from one shared reading': { path: comesBack(here, 8), options: STORAGE },
  'with ?since=, from history': { path: since('since') },
  'with ?since=, from storage': { path: since('since'), options: STORAGE },
  'with ?since.TOPIC=, from history': { path: since('since.room:7'), others: false },
  'with ?since.TOPIC=, from storage': { path: since('since.room:7'), options: STORAGE, others: false },
};

for (const [how, { path, options, delivery, others = true }] of Object.entries(PATHS)) {
  test(`Whoever is entitled to an event gets it, and nobody else: ${how}`, async (t) => {
    const app = await startApp(t, { maxConnectionsPerUser: 100, ...options });
    const audience = new Audience(app.db);
    await audience.prepare();
    if (delivery) await app.db.query('select djr.configure(delivery => $1)', [delivery]);
    const open = await path({ app, audience, another: () => startApp(t, options, app.db) });
    await audience.end(open);
    for (const [name, stream] of open) {
      const { user, hears } = IDENTITIES[name]!;
      const expected = [
        ...(others && user !== null ? [`own_${user}`] : []),
        ...(others ? ['public'] : []),
        ...(hears ? ['topic'] : []),
      ];
      t.deepEqual([...new Set(stream.types)].toSorted(), [...expected, 'end'].toSorted(), name);
    }
  });
}
