import { z } from 'zod';
import { DjrError } from '../lib/errors.js';
import { nameIssue } from '../lib/name-issue.js';
import { shown } from '../lib/shown.js';

/** Options of `realtime.consume`. */
export interface ConsumeOptions {
  /** Events that one transaction takes at most, 1 to 10000. @defaultValue 100 */
  batch?: number;
  /**
   * Whether several processes work at the same time, each on different events, in no common order. Otherwise one process works at a
   * time, and the others stand by.
   * @defaultValue false
   */
  share?: boolean;
  /**
   * Creates the consumer with `djr.create_consumer` if it does not exist. An existing consumer keeps its filters.
   * @defaultValue the consumer must exist
   */
  create?: {
    /** `'now'`, `'start'`, or a position that `djr.position()` returned. @defaultValue `'now'` */
    from?: string;
    /** @defaultValue events of every type */
    types?: string[];
    /** @defaultValue events of every topic, and events without a topic */
    topics?: string[];
  };
  /** Milliseconds that the handler may take for one batch before the transaction is rolled back. @defaultValue 60000 */
  timeout?: number;
  /** Milliseconds after which it looks for events even if none was announced. @defaultValue 5000 */
  pollInterval?: number;
}

const list = z.array(z.string()).nullable().default(null);
export const CONSUME_OPTIONS = z.strictObject({
  batch: z.number().int().min(1).max(10_000).default(100),
  share: z.boolean().default(false),
  create: z.strictObject({ from: z.string().default('now'), types: list, topics: list }).optional(),
  timeout: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(60_000),
  pollInterval: z
    .number()
    .int()
    .min(50)
    .max(2 ** 30)
    .default(5000),
});

export interface ResolvedConsumeOptions extends Omit<z.output<typeof CONSUME_OPTIONS>, 'share'> {
  mode: 'skip' | 'share';
}

/** @throws {@link DjrError} `DJR_CONFIG` that names the option */
export function resolveConsumeOptions(name: unknown, handler: unknown, options: unknown): ResolvedConsumeOptions {
  if (typeof name !== 'string' || name === '') {
    throw new DjrError('DJR_CONFIG', `consume must be given the name of a consumer (it is ${shown(name)}).`);
  }
  if (typeof handler !== 'function') {
    throw new DjrError('DJR_CONFIG', `consume must be given a function for the events (it is ${typeof handler}).`);
  }
  const result = CONSUME_OPTIONS.safeParse(options);
  if (result.success) {
    const { share, ...rest } = result.data;
    return { ...rest, mode: share ? 'share' : 'skip' };
  }
  const { path, message } = nameIssue(result.error);
  throw new DjrError('DJR_CONFIG', `Option ${path.join('.') || 'options'} of consume: ${message}.`, {
    hint: 'docs/consumers.md lists the options with their defaults.',
  });
}
