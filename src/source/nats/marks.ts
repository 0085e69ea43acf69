import { Frontier } from '../../event/frontier.js';
import { ask } from '../../postgres/ask.js';
import type { Pool } from '../../postgres/connect.js';
import type { Election, Mark, Ring } from '../../relay/ring.js';

/** Milliseconds that one statement may take. */
const ANSWER_TIMEOUT = 4000;

interface Row {
  readonly generation: string;
  readonly sequence: string;
  readonly epoch: string;
  readonly snapshot: string;
  readonly time: string;
}

/** `djr.relay_mark`, where PostgreSQL remembers how far the log was. */
export class PostgresRing implements Ring {
  readonly #pool: Pool;
  readonly #namespace: string;

  constructor(pool: Pool, namespace: string) {
    this.#pool = pool;
    this.#namespace = namespace;
  }

  async record({ frontier, generation, sequence }: Mark): Promise<void> {
    const query = {
      text: `select djr.record_relay_mark($1, $2, $3, $4, $5::pg_catalog.pg_snapshot, pg_catalog.to_timestamp($6::pg_catalog.float8 operator(pg_catalog./) 1000))`,
      values: [this.#namespace, generation, sequence, frontier.epoch, frontier.snapshot, frontier.time],
    };
    await ask(this.#pool, query, ANSWER_TIMEOUT);
  }

  async marks(): Promise<Mark[]> {
    const query = {
      text: `select generation, sequence::pg_catalog.text as sequence, epoch, snapshot::pg_catalog.text as snapshot,
                    pg_catalog.round(extract(epoch from taken_at) operator(pg_catalog.*) 1000)::pg_catalog.text as time
               from djr.relay_mark where namespace operator(pg_catalog.=) $1 order by relay_mark.id desc limit 10`,
      values: [this.#namespace],
    };
    const { rows } = await ask<Row>(this.#pool, query, ANSWER_TIMEOUT);
    return rows.flatMap(({ epoch, generation, sequence, snapshot, time }) => {
      const frontier = Frontier.fromSnapshot(snapshot, epoch, Number(time));
      return frontier ? [{ generation, sequence: Number(sequence), frontier }] : [];
    });
  }
}

/** A session of PostgreSQL that is this instance's alone. */
export interface OwnSession {
  query<Row>(query: { text: string; values?: unknown[] }): Promise<{ rows: Row[] }>;
}

/** The first half of the lock's key says that it is a relay's, the second which one. */
const KEY = '(6580850, pg_catalog.hashtext($1))';

/** An advisory lock of the listening session: PostgreSQL gives it to another one when the session ends, however it does. */
export class LockElection implements Election {
  readonly #session: () => OwnSession | undefined;
  readonly #namespace: string;
  #won: OwnSession | undefined;

  constructor(session: () => OwnSession | undefined, namespace: string) {
    this.#session = session;
    this.#namespace = namespace;
  }

  async win(): Promise<boolean> {
    const session = this.#session();
    if (!session) return false;
    if (this.#won === session) return true;
    const text = `select pg_catalog.pg_try_advisory_lock${KEY} as won`;
    const { rows } = await session.query<{ won: boolean }>({ text, values: [this.#namespace] });
    const won = rows[0]?.won === true;
    this.#won = won ? session : undefined;
    return won;
  }

  async yield(): Promise<void> {
    const session = this.#won;
    this.#won = undefined;
    if (!session || session !== this.#session()) return;
    await session.query({ text: `select pg_catalog.pg_advisory_unlock${KEY}`, values: [this.#namespace] });
  }
}
