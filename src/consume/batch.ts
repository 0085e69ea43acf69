import type pg from 'pg';
import { DjrError, fromPostgres } from '../lib/errors.js';
import { requestCancel } from '../postgres/cancel.js';
import { checkOut } from '../postgres/checkout.js';
import type { Pool } from '../postgres/connect.js';
import { TYPES } from '../postgres/types.js';
import { CONSUME, type ConsumedEvent, type ConsumedRow, toConsumedEvent } from './consumed-event.js';

export interface ConsumeContext {
  /** In the transaction that moves the consumer's place: what it writes commits with the place, or not at all. */
  readonly client: pg.ClientBase;
  /** Aborted when the batch cannot commit any more: it took too long, the connection is lost, or the process ends. */
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
  /** Aborted when the batch is to be given up at once. */
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

/** The connection is not fit for another transaction: the handler may still use it. */
class GivenUp extends Error {}

/**
 * Takes the next events and hands them to the handler, in one transaction.
 *
 * @returns how many they were
 * @throws {@link BatchError} when it had begun with them; what PostgreSQL says, when it had not
 */
export async function runBatch(options: BatchOptions): Promise<number> {
  const { client, unlessLost, release } = await checkOut(options.pool);
  // It may have waited for a place while the runtime was stopped.
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
    // The answer to the commit of a transaction in which a statement failed.
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

/** The handler, until it has answered, its time is over, it is given up, or the connection is lost. */
async function handle(
  { handler, timeout, giveUp }: BatchOptions,
  events: ConsumedEvent[],
  client: pg.ClientBase,
  unlessLost: <T>(work: Promise<T>) => Promise<T>,
): Promise<void> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let end = () => {};
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new GivenUp(`the handler did not end within ${timeout} ms (timeout)`)), timeout);
    end = () => reject(new GivenUp('the runtime was stopped before the handler had ended'));
    giveUp.addEventListener('abort', end);
    if (giveUp.aborted) end();
  });
  try {
    const answer = (async () => handler(events, { client, signal: abort.signal }))();
    await unlessLost(Promise.race([answer, over]));
  } catch (error) {
    abort.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
    giveUp.removeEventListener('abort', end);
  }
}
