import { z } from 'zod';
import { DjrError } from '../lib/errors.js';
import { nameIssue } from '../lib/name-issue.js';

/** How `realtime.consume` goes about it. */
export interface ConsumeOptions {
  /** Events that one transaction takes at most, 1 to 10000. @defaultValue 100 */
  batch?: number;
  /**
   * Whether processes work at the same time, each on events of its own, in no order among them. Without it one process works at
   * a time, and the others stand by.
   * @defaultValue false
   */
  share?: boolean;
  /**
   * Makes the consumer where there is none: `djr.create_consumer`. Its filters are not changed where there is one.
   * @defaultValue it must be there already
   */
  create?: {
    /** `'now'`, `'start'`, or a position: what `djr.position()` returned. @defaultValue `'now'` */
    from?: string;
    /** @defaultValue events of every type */
    types?: string[];
    /** @defaultValue events of every topic, and of none */
    topics?: string[];
  };
  /** Milliseconds that the handler may take for one batch; then the transaction is rolled back. @defaultValue 60000 */
  timeout?: number;
  /** Milliseconds after which it looks for events though none was announced. @defaultValue 5000 */
  pollInterval?: number;
}

const list = z.array(z.string()).nullable().default(null);
const schema = z.strictObject({
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

export interface ResolvedConsumeOptions extends Omit<z.output<typeof schema>, 'share'> {
  mode: 'skip' | 'share';
}

/** @throws {@link DjrError} `DJR_CONFIG` that names the option */
export function resolveConsumeOptions(name: unknown, handler: unknown, options: unknown): ResolvedConsumeOptions {
  if (typeof name !== 'string' || name === '') {
    throw new DjrError('DJR_CONFIG', `consume must be given the name of a consumer (it is ${JSON.stringify(name)}).`);
  }
  if (typeof handler !== 'function') {
    throw new DjrError('DJR_CONFIG', `consume must be given a function for the events (it is ${typeof handler}).`);
  }
  const result = schema.safeParse(options);
  if (result.success) {
    const { share, ...rest } = result.data;
    return { ...rest, mode: share ? 'share' : 'skip' };
  }
  const { path, message } = nameIssue(result.error);
  throw new DjrError('DJR_CONFIG', `Option ${path.join('.') || 'options'} of consume: ${message}.`, {
    hint: 'docs/consumers.md lists the options with their defaults.',
  });
}
