import pg from 'pg';
import Cursor from 'pg-cursor';
import { now, waitUntil } from '../clock.js';
import { newHistogram, pack, record } from './histogram.js';

/** The statements with which events are published; `$1` is the detail, `$2` the user. */
export interface Statements {
  global: string;
  user?: string;
  /** `$1` is a JSON array of details, each between `wrap`'s two texts: all in one statement. */
  many?: string;
  wrap?: readonly [string, string];
}

export interface PublisherConnect {
  url: string;
  connections: number;
  statements: Statements;
}

export interface Published {
  /** All that were published, warm-up included. */
  events: number;
  /** Those that count for the rate. */
  counted: number;
  seconds: number;
  /** When the first call was made, on the machine's clock. */
  started: number;
  /** Packed histogram of the calls' durations, microseconds. */
  calls: string;
  /** How late the latest call was made: the machine's or the publisher's own fault, and counted as delay. Milliseconds. */
  late: number;
}

export interface Publisher {
  connect(options: PublisherConnect): Promise<void>;
  /** At a fixed rate, whatever the answers do; `warmup` more events come first. */
  paced(options: { rate: number; events: number; warmup: number; toUsers?: number }): Promise<Published>;
  /** Each connection publishes one event after the other as fast as it is answered. */
  closedLoop(options: { seconds: number; warmup: number }): Promise<Published>;
  /** `events` at once: `together` in one statement, else one statement each, for one user or topic where there is one. */
  burst(options: { events: number; together: boolean; from?: number; toUser?: number }): Promise<Published>;
  /** Reads all rows of this statement once, by a cursor. @returns microseconds */
  read(sql: string): Promise<number>;
  /** One statement, on the first connection. */
  query(sql: string): Promise<pg.QueryResultRow[]>;
  close(argument: null): Promise<void>;
}

// With it an event is about 120 bytes on the wire, as a small real one is.
const PADDING = 'x'.repeat(48);

/** The detail of event `n`, meant for `moment`. */
const detail = (n: number, moment: number, user?: number): string =>
  user === undefined
    ? `{"n":${n},"t":${Math.round(moment)},"pad":"${PADDING}"}`
    : `{"n":${n},"t":${Math.round(moment)},"u":${user},"pad":"${PADDING}"}`;

/** A connection that runs one statement after another. It has no time-outs: each would be work of the load, on the processors that djr is measured on. */
class Connection {
  readonly client: pg.Client;
  #last: Promise<unknown> = Promise.resolve();

  constructor(url: string) {
    this.client = new pg.Client(url);
  }

  query(config: pg.QueryConfig): Promise<pg.QueryResult<pg.QueryResultRow>> {
    const answer = this.#last.then(() => this.client.query(config));
    this.#last = answer.catch(() => {});
    return answer;
  }
}

export function play(): Publisher {
  let connections: Connection[] = [];
  let statements: Statements = { global: '' };

  const publish = (connection: Connection, n: number, moment: number, user?: number) =>
    connection.query(
      user === undefined
        ? { name: 'global', text: statements.global, values: [detail(n, moment)] }
        : { name: 'user', text: statements.user!, values: [detail(n, moment, user), String(user)] },
    );

  const publisher: Publisher = {
    async connect(options) {
      await publisher.close(null);
      statements = options.statements;
      connections = Array.from({ length: options.connections }, () => new Connection(options.url));
      await Promise.all(connections.map(({ client }) => client.connect()));
    },

    async paced({ rate, events, warmup, toUsers }) {
      const calls = newHistogram();
      const interval = 1e6 / rate;
      const started = now() + 20_000;
      const pending: Promise<unknown>[] = [];
      let failure: unknown;
      let late = 0;
      for (let n = 0; n < warmup + events && failure === undefined; n += 1) {
        const moment = started + n * interval;
        await waitUntil(moment);
        const called = now();
        if (n >= warmup) late = Math.max(late, called - moment);
        // The delay counts from when the call was due: a publisher that is held up does not hide its own waiting.
        const call = publish(connections[n % connections.length]!, n, moment, toUsers && n % toUsers).then(
          () => {
            if (n >= warmup) record(calls, now() - called);
          },
          (error: unknown) => {
            failure = error;
          },
        );
        pending.push(call);
      }
      await Promise.all(pending);
      if (failure !== undefined) throw failure;
      return {
        events: warmup + events,
        counted: events,
        seconds: (now() - started) / 1e6,
        started,
        calls: pack(calls),
        late: late / 1000,
      };
    },

    async closedLoop({ seconds, warmup }) {
      const calls = newHistogram();
      const started = now() + warmup * 1e6;
      const ends = started + seconds * 1e6;
      let n = 0;
      let counted = 0;
      const loop = async (connection: Connection) => {
        for (let called = now(); called < ends; called = now()) {
          await publish(connection, n++, called);
          if (called < started) continue;
          record(calls, now() - called);
          counted += 1;
        }
      };
      await Promise.all(connections.map(loop));
      return { events: n, counted, seconds: (now() - started) / 1e6, started, calls: pack(calls), late: 0 };
    },

    async burst({ events, together, from = 0, toUser }) {
      const calls = newHistogram();
      const connection = connections[0]!;
      const started = now();
      const numbers = Array.from({ length: events }, (_, index) => from + index);
      if (together) {
        const [before, after] = statements.wrap ?? ['', ''];
        const details = `[${numbers.map((n) => before + detail(n, started) + after).join(',')}]`;
        await connection.query({ name: 'many', text: statements.many!, values: [details] });
        record(calls, now() - started);
      } else {
        await Promise.all(numbers.map((n) => publish(connections[n % connections.length]!, n, started, toUser)));
      }
      return { events, counted: events, seconds: (now() - started) / 1e6, started, calls: pack(calls), late: 0 };
    },

    async read(sql) {
      const started = now();
      const cursor = connections[0]!.client.query(new Cursor(sql, [], { rowMode: 'array' }));
      while ((await cursor.read(1000)).length > 0);
      await cursor.close();
      return now() - started;
    },

    async query(sql) {
      return (await connections[0]!.query({ text: sql })).rows;
    },

    async close() {
      await Promise.all(connections.map(({ client }) => client.end()));
      connections = [];
    },
  };
  return publisher;
}
