import type pg from 'pg';
import { orThrow } from '../lib/deadline.js';
import { DjrError } from '../lib/errors.js';
import { requestCancel } from '../postgres/cancel.js';
import { checkOut } from '../postgres/checkout.js';
import type { Pool } from '../postgres/connect.js';
import { fromPostgres } from '../postgres/schema-error.js';
import { TYPES } from '../postgres/types.js';
import { CONSUME, type ConsumedEvent, type ConsumedRow, toConsumedEvent } from './consumed-event.js';

export interface ConsumeContext {
  /** A client in the transaction that moves the consumer's place: what it writes is committed together with the place, or not at all. */
  readonly client: pg.ClientBase;
  /** Aborted when the batch can no longer be committed: it took too long, the connection is lost, or the process ends. */
  readonly signal: AbortSignal;
}

export interface BatchOptions {
  pool: Pool;
  name: string;
  size: number;
  mode: 'skip' | 'share';
  handler(events: ConsumedEvent[], context: ConsumeContext): unknown;
  /** Milliseconds that the handler may take. */
  timeout: number;
  /** Aborted when the batch must be given up at once. */
  giveUp: AbortSignal;
}

/** The handler failed, or what it did could not be committed. */
export class BatchError extends Error {
  readonly events: readonly ConsumedEvent[];

  constructor(events: readonly ConsumedEvent[], cause: unknown) {
    super('a batch failed', { cause });
    this.events = events;
  }
}

/** The batch was given up. Its connection must be closed, as the handler may still use it. */
class GivenUp extends Error {}

/**
 * Takes the next events and passes them to the handler, in one transaction.
 *
 * @returns how many events there were
 * @throws {@link BatchError} if it failed after the events were read; PostgreSQL's error if it failed before
 */
export async function runBatch(options: BatchOptions): Promise<number> {
  const { client, unlessLost, release } = await checkOut(options.pool);
  // The runtime may have been stopped while this waited for a connection.
  if (options.giveUp.aborted) {
    release();
    return 0;
  }
  const cancel = () => void requestCancel(client).catch(() => {});
  options.giveUp.addEventListener('abort', cancel);
  let events: ConsumedEvent[] = [];
  try {
    await unlessLost(client.query('begin'));
    const query = { text: CONSUME, values: [options.name, options.size, options.mode], types: TYPES };
    const { rows } = await unlessLost(client.query<ConsumedRow>(query));
    events = rows.map(toConsumedEvent);
    if (events.length > 0) await handle(options, events, client, unlessLost);
    const { command } = await unlessLost(client.query('commit'));
    // PostgreSQL answers ROLLBACK to the commit of a transaction in which a statement failed.
    if (command === 'ROLLBACK') {
      throw new DjrError(
        'DJR_CONSUME',
        'A statement failed in the transaction of the batch, and the handler went on.',
        {
          hint: 'Let the error pass, or put a savepoint around what may fail.',
        },
      );
    }
    release();
    return events.length;
  } catch (error) {
    if (error instanceof GivenUp) {
      cancel();
      release(error);
    } else {
      await unlessLost(client.query('rollback')).then(
        () => release(),
        (failure: Error) => release(failure),
      );
    }
    throw events.length > 0 ? new BatchError(events, error) : fromPostgres(error);
  } finally {
    options.giveUp.removeEventListener('abort', cancel);
  }
}

/** Runs the handler, until it has answered, its time is over, the batch is given up, or the connection is lost. */
async function handle(
  { handler, timeout, giveUp }: BatchOptions,
  events: ConsumedEvent[],
  client: pg.ClientBase,
  unlessLost: <T>(work: Promise<T>) => Promise<T>,
): Promise<void> {
  const abort = new AbortController();
  let end = () => {};
  const stopped = new Promise<never>((_, reject) => {
    end = () => reject(new GivenUp('the runtime was stopped before the handler had ended'));
    giveUp.addEventListener('abort', end);
    if (giveUp.aborted) end();
  });
  try {
    const answer = (async () => handler(events, { client, signal: abort.signal }))();
    const late = () => new GivenUp(`the handler did not end within ${timeout} ms (timeout)`);
    await unlessLost(orThrow(Promise.race([answer, stopped]), timeout, late));
  } catch (error) {
    abort.abort(error);
    throw error;
  } finally {
    giveUp.removeEventListener('abort', end);
  }
}
