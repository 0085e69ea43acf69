import pg from 'pg';
import Cursor from 'pg-cursor';
import { Session } from '../../src/source/postgres/session.js';
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

export function play(): Publisher {
  let sessions: Session[] = [];
  let statements: Statements = { global: '' };

  const publish = (session: Session, n: number, moment: number, user?: number) =>
    session.query(
      user === undefined
        ? { name: 'global', text: statements.global, values: [detail(n, moment)] }
        : { name: 'user', text: statements.user!, values: [detail(n, moment, user), String(user)] },
    );

  const publisher: Publisher = {
    async connect(options) {
      await publisher.close(null);
      statements = options.statements;
      sessions = Array.from({ length: options.connections }, () => new Session(new pg.Client(options.url)));
      await Promise.all(sessions.map(({ client }) => client.connect()));
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
        const call = publish(sessions[n % sessions.length]!, n, moment, toUsers && n % toUsers).then(
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
      const loop = async (session: Session) => {
        for (let called = now(); called < ends; called = now()) {
          await publish(session, n++, called);
          if (called < started) continue;
          record(calls, now() - called);
          counted += 1;
        }
      };
      await Promise.all(sessions.map(loop));
      return { events: n, counted, seconds: (now() - started) / 1e6, started, calls: pack(calls), late: 0 };
    },

    async burst({ events, together, from = 0, toUser }) {
      const calls = newHistogram();
      const session = sessions[0]!;
      const started = now();
      const numbers = Array.from({ length: events }, (_, index) => from + index);
      if (together) {
        const [before, after] = statements.wrap ?? ['', ''];
        const details = `[${numbers.map((n) => before + detail(n, started) + after).join(',')}]`;
        await session.query({ name: 'many', text: statements.many!, values: [details] });
        record(calls, now() - started);
      } else {
        await Promise.all(numbers.map((n) => publish(sessions[n % sessions.length]!, n, started, toUser)));
      }
      return { events, counted: events, seconds: (now() - started) / 1e6, started, calls: pack(calls), late: 0 };
    },

    async read(sql) {
      const started = now();
      const cursor = sessions[0]!.client.query(new Cursor(sql, [], { rowMode: 'array' }));
      while ((await cursor.read(1000)).length > 0);
      await cursor.close();
      return now() - started;
    },

    async query(sql) {
      return (await sessions[0]!.query({ text: sql })).rows;
    },

    async close() {
      await Promise.all(sessions.map(({ client }) => client.end()));
      sessions = [];
    },
  };
  return publisher;
}
