import type { Envelope } from '../event/envelope.js';
import { DjrError } from '../lib/errors.js';
import type { ResolvedOptions } from '../options.js';
import type { Database } from '../postgres/database.js';
import { LazySource } from '../source/lazy-source.js';
import { PostgresSource } from '../source/postgres/postgres-source.js';
import type { Source } from '../source/source.js';

export interface SourceOptions {
  options: ResolvedOptions;
  database: Database;
  /** The name of this instance. */
  instance: string;
  /** Runs `onReceive`. */
  receive(envelope: Envelope): Envelope | null | Promise<Envelope | null>;
}

/** Makes the source of the instance's events: PostgreSQL, PostgreSQL with a relay, or the relay alone. */
export function sourceOf({ options, database, instance, receive }: SourceOptions): Source {
  const { relay } = options;
  if (!relay) return new PostgresSource({ options, database, instance });
  if (options.isEdge) {
    return new LazySource(async () => {
      const { EdgeSource } = await import('../source/nats/edge-source.js');
      const { historyEvents, logger } = options;
      return new EdgeSource({ relay, historyEvents, logger, instance });
    });
  }
  return new LazySource(async () => {
    const { RelayedSource } = await import('../source/nats/relayed-source.js');
    return new RelayedSource({ options, database, instance, relay, receive });
  });
}

/** @throws where not every event comes */
export function refuseOnOwnSubjects({ isEdge, relay }: ResolvedOptions, what: string): void {
  if (!isEdge || relay?.interest !== 'own') return;
  throw new DjrError('DJR_EDGE', `${what} needs every event, and this edge takes in those of its own clients only.`, {
    hint: "Give the edge relay.interest: 'all', or do it on an instance with the option database.",
  });
}

/** @throws {@link DjrError} `DJR_EDGE` on an edge, which has no database for this */
export function refuseOnEdge({ isEdge }: ResolvedOptions, what: string): void {
  if (!isEdge) return;
  throw new DjrError('DJR_EDGE', `${what} needs a database, and this instance is an edge of a relay, which has none.`, {
    hint: 'Do it where the database is: in SQL, or with an instance that has the option database.',
  });
}
