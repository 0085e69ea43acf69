import pg from 'pg';
import type { EmbeddedPostgres } from '../../src/testing/embedded.js';
import type { Instances } from './instances.js';
import { pause, type Random } from './random.js';
import type { RelayUnderTorture } from './relay-faults.js';
import type { Ledger } from './writer.js';

/** Whoever only administers may meet the faults, too: then it is done a little later. */
async function administer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url, application_name: 'torture' });
    client.on('error', () => {});
    try {
      await client.connect();
      await work(client);
      return;
    } catch {
      await pause(200);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** Where the edges are, with a relay: the first has the whole log, the second its own subjects, where both are asked for. */
export const EDGES: readonly number[] = [3, 4];

/** Does harm, one fault at a time, and counts it. */
export class Faults {
  readonly counts = new Map<string, number>();
  readonly #server: EmbeddedPostgres;
  readonly #database: string;
  readonly #instances: Instances;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #storage: boolean;
  readonly #users: readonly string[];
  readonly #relay: RelayUnderTorture | undefined;
  #stopped = false;
  #holders: pg.Client[] = [];
  /** The number of the event that the open transaction of this database has published. */
  #held: number | undefined;

  constructor(
    server: EmbeddedPostgres,
    database: string,
    instances: Instances,
    ledger: Ledger,
    random: Random,
    storage: boolean,
    users: readonly string[],
    relay?: RelayUnderTorture,
  ) {
    this.#relay = relay;
    this.#users = users;
    this.#server = server;
    this.#database = database;
    this.#instances = instances;
    this.#ledger = ledger;
    this.#storage = storage;
    this.#random = random;
  }

  async run(): Promise<void> {
    await this.#holdTransactions();
    const faults: [string, () => Promise<void>][] = [
      ['listener terminated', () => this.#terminate("query ilike 'listen%' or query like '%pg_notify%'")],
      ['all connections of the runtimes terminated', () => this.#terminate('true')],
      ['PostgreSQL stopped at once and started', () => this.#restart('immediate')],
      ['PostgreSQL restarted', () => this.#restart('fast')],
      ['instance killed and started', () => this.#kill()],
      ['instance killed and started', () => this.#kill()],
      ['third instance added or removed', () => this.#third()],
      ['user disconnected', () => this.#order('djr.disconnect($1::text)')],
      ['user rechecked', () => this.#order('djr.recheck($1)')],
      ['everybody rechecked', () => this.#order('djr.recheck()', [])],
    ];
    if (this.#relay) faults.push(...this.#ofRelay(this.#relay));
    // A sweep finds rows, and without storage there are none.
    if (this.#storage)
      for (const mode of ['notify', 'sweep', 'auto'])
        faults.push([`delivery switched to ${mode}`, () => this.#switch(mode)]);
    // Each once, in a random order, then any: a short run has every kind.
    let queue: typeof faults = [];
    while (!this.#stopped) {
      if (queue.length === 0)
        queue = faults
          .map((f) => ({ f, at: this.#random.next() }))
          .sort((a, b) => a.at - b.at)
          .map(({ f }) => f);
      const [name, fault] = queue.pop()!;
      await fault();
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      await pause(this.#random.between(200, 2000));
    }
    if (this.#storage)
      await administer(this.#database, (client) => client.query("select djr.configure(delivery => 'auto')"));
    for (const slot of this.#relay ? [0, 1, ...EDGES] : [0, 1]) {
      if (!this.#instances.runs(slot)) await this.#instances.start(slot);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What was published first is committed last. */
  async release(): Promise<void> {
    if (this.#held === undefined) return;
    this.#ledger.commits([this.#held]);
    this.#held = undefined;
    for (const client of this.#holders) await client.query('commit').catch(() => {});
  }

  async end(): Promise<void> {
    for (const client of this.#holders) await client.end().catch(() => {});
  }

  /** Transactions that write, here and in another database: no snapshot's xmin passes them. */
  async #holdTransactions(): Promise<void> {
    const open = async (url: string) => {
      const client = new pg.Client({ connectionString: url, application_name: 'holder' });
      client.on('error', () => {});
      await client.connect();
      await client.query('begin');
      this.#holders.push(client);
      return client;
    };
    await this.end();
    this.#holders = [];
    await (await open(this.#server.url)).query('select pg_current_xact_id()');
    this.#held = this.#ledger.take();
    await (await open(this.#database)).query("select djr.publish_global('note', jsonb_build_object('n', $1::int))", [
      this.#held,
    ]);
  }

  #terminate(which: string): Promise<void> {
    return administer(this.#database, (client) =>
      client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'djr' and (${which})`,
      ),
    );
  }

  async #restart(mode: 'immediate' | 'fast'): Promise<void> {
    await this.#server.stop(mode);
    await pause(this.#random.between(0, 1000));
    await this.#server.start();
    await this.#holdTransactions();
  }

  #ofRelay(relay: RelayUnderTorture): [string, () => Promise<void>][] {
    return [
      ['edge killed and started', () => this.#kill(this.#random.pick(EDGES))],
      ['edge paused', () => this.#pauseInstance(this.#random.pick(EDGES))],
      ['source paused', () => this.#pauseInstance(this.#random.between(0, 1))],
      ...relay.faults(),
    ];
  }

  async #pauseInstance(slot: number): Promise<void> {
    this.#instances.signal(slot, 'SIGSTOP');
    await pause(this.#random.between(100, 3000));
    this.#instances.signal(slot, 'SIGCONT');
  }

  async #kill(slot = this.#random.between(0, 1)): Promise<void> {
    await this.#instances.end(slot, 'SIGKILL');
    await pause(this.#random.between(0, 1500));
    await this.#instances.start(slot);
  }

  async #third(): Promise<void> {
    if (this.#instances.runs(2)) await this.#instances.end(2, 'SIGTERM');
    else await this.#instances.start(2);
  }

  #order(call: string, values: unknown[] = [this.#random.pick(this.#users)]): Promise<void> {
    return administer(this.#database, (client) => client.query(`select ${call}`, values));
  }

  #switch(delivery: string): Promise<void> {
    return administer(this.#database, (client) => client.query('select djr.configure(delivery => $1)', [delivery]));
  }
}
