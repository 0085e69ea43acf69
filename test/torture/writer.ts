import pg from 'pg';
import { pause, type Random } from './random.js';

/** When the commit of each event was sent, by the event's number: what is committed later than that is certain. */
export class Ledger {
  readonly #sent: number[] = [];
  rolledBack = 0;

  take(): number {
    return this.#sent.push(Number.NaN) - 1;
  }

  commits(numbers: readonly number[]): void {
    const now = performance.now();
    for (const n of numbers) this.#sent[n] = now;
  }

  sentAt(n: number): number {
    return this.#sent[n] ?? Number.NaN;
  }

  get length(): number {
    return this.#sent.length;
  }
}

const PUBLISH = {
  user: "select djr.publish($2::text, 'note', jsonb_build_object('n', $1::int, 'text', $3::text))",
  keyed:
    "select djr.publish($2::text, 'note', jsonb_build_object('n', $1::int, 'text', $3::text), key => 'n' || $1::int)",
  public: "select djr.publish_global('note', jsonb_build_object('n', $1::int, 'text', $3::text)), $2::text",
  system: "select djr.publish_system('note', jsonb_build_object('n', $1::int, 'text', $3::text), $2::text)",
};

const BULK = `insert into djr.event (scope, user_id, type, detail)
  select case when n % 2 = 0 then 'public' else 'user' end,
         case when n % 2 = 0 then null else $2::text end,
         'note', jsonb_build_object('n', n)
    from unnest($1::int[]) n`;

/** One session that publishes in transactions of every kind, and connects again when the server goes. */
export class Writer {
  readonly #url: string;
  readonly #users: readonly string[];
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #period: number;
  #stopped = false;

  /** @param period - milliseconds between two transactions, on average. */
  constructor(url: string, users: readonly string[], random: Random, ledger: Ledger, period: number) {
    this.#url = url;
    this.#users = users;
    this.#random = random;
    this.#ledger = ledger;
    this.#period = period;
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
      const n = this.#ledger.take();
      this.#ledger.commits([n]);
      await this.#publish(client, n);
      return;
    }
    const numbers: number[] = [];
    await client.query('begin');
    if (random.chance(0.125)) {
      const bulk = Array.from({ length: random.between(5, 40) }, () => this.#ledger.take());
      numbers.push(...bulk);
      await client.query(BULK, [bulk, random.pick(this.#users)]);
    } else {
      for (let left = random.between(1, 2); left > 0; left -= 1) {
        numbers.push(this.#ledger.take());
        await this.#publish(client, numbers.at(-1)!);
      }
    }
    if (random.chance(0.2)) {
      await client.query('savepoint s');
      await this.#publish(client, this.#ledger.take());
      await client.query('rollback to savepoint s');
      numbers.push(this.#ledger.take());
      await this.#publish(client, numbers.at(-1)!);
    }
    await pause(length);
    if (random.chance(0.125)) {
      this.#ledger.rolledBack += 1;
      await client.query('rollback');
      return;
    }
    this.#ledger.commits(numbers);
    await client.query('commit');
  }

  async #publish(client: pg.Client, n: number): Promise<void> {
    const scope = this.#random.pick(['user', 'user', 'keyed', 'public', 'system'] as const);
    const text = 'x'.repeat(this.#random.between(0, 100));
    await client.query(PUBLISH[scope], [n, this.#random.pick(this.#users), text]);
  }
}
