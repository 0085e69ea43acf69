import type { SeenOptions } from './types.js';

/** Those who wait until an event has been fired in this page. */
export interface Awaited {
  /** See `Djr.seen`. */
  seen(id: number | bigint | string, options?: SeenOptions): Promise<void>;
  /** An event has been fired. */
  fired(event: number): void;
  /** It is no longer known what comes. */
  end(reason: 'reset' | 'closed'): void;
  /** Whether an event has been fired before somebody asked. */
  known: (event: number) => boolean;
}

/** Milliseconds. */
const TIMEOUT = 10_000;

export function createAwaited(): Awaited {
  let closed = false;
  const waiting = new Set<{ event: number; settle(reason?: string): void }>();
  const awaited: Awaited = {
    known: () => false,
    seen: (id, { timeout = TIMEOUT } = {}) =>
      new Promise((resolve, reject) => {
        const event = /^\d+$/.test(`${id}`) ? Number(id) : 0;
        if (!Number.isSafeInteger(event) || event < 1) {
          throw new TypeError(`djr.seen must be given the id that djr.publish returned (it is ${String(id)})`);
        }
        const one = {
          event,
          settle(reason?: string) {
            clearTimeout(timer);
            waiting.delete(one);
            if (!reason) return resolve();
            const error = new Error(`djr: event ${event} has not come to this page (${reason})`);
            reject(Object.assign(error, { reason }));
          },
        };
        const timer = setTimeout(one.settle, Math.min(timeout, 2 ** 31 - 1), 'timeout');
        if (awaited.known(event)) one.settle();
        else if (closed) one.settle('closed');
        else waiting.add(one);
      }),
    fired(event) {
      for (const one of waiting) if (one.event === event) one.settle();
    },
    end(reason) {
      closed = reason === 'closed';
      for (const one of waiting) one.settle(reason);
    },
  };
  return awaited;
}
