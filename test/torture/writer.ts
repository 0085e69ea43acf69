import pg from 'pg';
import { PASS } from './passing.js';
import { pause, type Random } from './random.js';
import { roomOf, type Stored } from './verdict.js';

/** Whom an event is for. */
type Audience = Pick<Stored, 'scope' | 'topic' | 'user_id'>;

/** When the commit of each event was sent: who was there before got it, if it was committed at all. */
export class Ledger {
  readonly #sent: number[] = [];
  readonly #audiences: Audience[] = [];
  readonly #writers: unknown[] = [];
  /** Of replays, which have the number of their original: by the event's id. */
  readonly #replayed = new Map<number, number>();
  rolledBack = 0;

  /** @param writer - whose events are told apart by it. */
  take(
    scope: Stored['scope'] = 'public',
    user: string | null = null,
    topic: string | null = null,
    writer?: unknown,
  ): number {
    this.#audiences.push({ scope, user_id: user, topic });
    this.#writers.push(writer);
    return this.#sent.push(Number.NaN) - 1;
  }

  audience(n: number): Audience {
    return this.#audiences[n]!;
  }

  writerOf(n: number): unknown {
    return this.#writers[n];
  }

  /** NaN: it was rolled back, or its writer was cut off before it committed. */
  committedAt(n: number): number {
    return this.#sent[n] ?? Number.NaN;
  }

  commits(numbers: readonly number[]): void {
    const now = performance.now();
    for (const n of numbers) this.#sent[n] = now;
  }

  replays(ids: readonly number[]): void {
    const now = performance.now();
    for (const id of ids) this.#replayed.set(id, now);
  }

  sentAt({ id, n, replay }: Pick<Stored, 'id' | 'n' | 'replay'>): number {
    return (replay ? this.#replayed.get(id) : this.#sent[n]) ?? Number.NaN;
  }

  get committed(): number {
    return this.#sent.filter((at) => !Number.isNaN(at)).length;
  }

  get length(): number {
    return this.#sent.length;
  }
}

/** Of the events that are stored each writer's first, and then so many, are larger than NOTIFY can carry, and at most so large: more than may wait for a client. */
const LARGE_SHARE = 0.01;
const LARGEST = 100_000;

const PUBLISH = {
  user: "select djr.publish($2::text, 'note', jsonb_build_object('n', $1::int, 'text', $3::text))",
  keyed:
    "select djr.publish($2::text, 'note', jsonb_build_object('n', $1::int, 'text', $3::text), key => 'n' || $1::int)",
  row: 'insert into item (n, owner, text) values ($1::int, $2::text, $3::text)',
  topic: "select djr.publish_topic($2::text, 'note', jsonb_build_object('n', $1::int, 'text', $3::text))",
  public: "select djr.publish_global('note', jsonb_build_object('n', $1::int, 'text', $3::text)), $2::text",
  system: "select djr.publish_system('note', jsonb_build_object('n', $1::int, 'text', $3::text), $2::text)",
};

/** A table of the app's, whose rows are published by a trigger; and what lets large events be. */
export const TABLE = `create table item (id bigint generated always as identity primary key, owner text, n int, text text);
  create trigger item_publish after insert or update or delete on item
    for each row execute function djr.publish_row('note', 'owner', 'n,text');
  select djr.configure(max_bytes => 262144)`;

const REPLAY = `select djr.replay(id)::int as id from (
  select id from djr.event where replay_of is null order by id desc limit 1) latest`;

const MANY = `select djr.publish_many(jsonb_agg(
  jsonb_build_object('user_id', $2::text, 'type', 'note', 'detail', jsonb_build_object('n', n))))
  from unnest($1::int[]) n`;

const BULK = `insert into djr.event (scope, user_id, type, detail)
  select case when $2::text is null then 'public' else 'user' end, $2::text, 'note', jsonb_build_object('n', n)
    from unnest($1::int[]) n`;

/** One session that publishes in transactions of every kind, and connects again when the server goes. */
export class Writer {
  readonly #url: string;
  readonly #users: readonly string[];
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #period: number;
  readonly #storage: boolean;
  #stopped = false;
  #published = 0;

  /** @param period - milliseconds between two transactions, on average. */
  constructor(url: string, users: readonly string[], random: Random, ledger: Ledger, period: number, storage: boolean) {
    this.#url = url;
    this.#users = users;
    this.#random = random;
    this.#ledger = ledger;
    this.#period = period;
    this.#storage = storage;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const client = new pg.Client({ connectionString: this.#url, application_name: 'writer' });
      client.on('error', () => {});
      try {
        await client.connect();
        while (!this.#stopped) {
          await this.#transaction(client);
          await pause(this.#random.between(0, this.#period * 2));
        }
      } catch {
        // The server is down or was told to end us: faults are what this is about. The database says what was committed.
        await pause(100);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #transaction(client: pg.Client): Promise<void> {
    const random = this.#random;
    const length = random.between(0, 50);
    if (random.chance(0.2)) {
      await this.#publish(client, (n) => this.#ledger.commits([n]));
      return;
    }
    const numbers: number[] = [];
    const replays: number[] = [];
    const publish = () => this.#publish(client, (n) => numbers.push(n));
    await client.query('begin');
    if (random.chance(0.125)) {
      // A plain INSERT stores, whatever the setting is.
      const insert = this.#storage && random.chance(0.5);
      const user = insert && random.chance(0.5) ? null : random.pick(this.#users);
      const scope = user === null ? 'public' : 'user';
      const bulk = Array.from({ length: random.between(5, 40) }, () => this.#ledger.take(scope, user));
      numbers.push(...bulk);
      await client.query(insert ? BULK : MANY, [bulk, user]);
    } else for (let left = random.between(1, 2); left > 0; left -= 1) await publish();
    if (random.chance(0.2)) {
      await client.query('savepoint s');
      await this.#publish(client, () => {});
      await client.query('rollback to savepoint s');
      await publish();
    }
    // A key and a replay need storage.
    if (this.#storage && random.chance(0.05)) {
      const { rows } = await client.query<{ id: number }>(REPLAY);
      replays.push(...rows.map(({ id }) => id));
    }
    await pause(length);
    if (random.chance(0.125)) {
      this.#ledger.rolledBack += 1;
      await client.query('rollback');
      return;
    }
    this.#ledger.commits(numbers);
    this.#ledger.replays(replays);
    await client.query('commit');
  }

  /** @param taken - told the number before anything is sent. */
  async #publish(client: pg.Client, taken: (n: number) => void): Promise<void> {
    // Of one transaction some are rows and some are not.
    if (this.#storage && this.#random.chance(0.15)) await this.#pass(client, taken);
    const how = this.#random.pick([
      'user',
      'user',
      this.#storage ? 'keyed' : 'user',
      'row',
      'topic',
      'topic',
      'public',
      'system',
    ] as const);
    const user = this.#random.pick(this.#users);
    const topic = how === 'topic' ? roomOf(user) : null;
    const scope = how === 'public' || how === 'system' || how === 'topic' ? how : 'user';
    const n = this.#ledger.take(scope, topic === null ? user : null, topic);
    taken(n);
    // What NOTIFY cannot carry has to be a row.
    const large = this.#storage && (this.#published === 0 || this.#random.chance(LARGE_SHARE));
    this.#published += 1;
    const length = large ? this.#random.between(8000, LARGEST) : this.#random.between(0, 100);
    await client.query(PUBLISH[how], [n, topic ?? user, 'x'.repeat(length)]);
  }

  /** An event without a row. */
  async #pass(client: pg.Client, taken: (n: number) => void): Promise<void> {
    const how = this.#random.pick(['user', 'topic', 'public'] as const);
    const user = this.#random.pick(this.#users);
    const topic = how === 'topic' ? roomOf(user) : null;
    const n = this.#ledger.take(how, how === 'user' ? user : null, topic, this);
    taken(n);
    await client.query(PASS[how], [n, topic ?? user]);
  }
}
