import type { SeenOptions } from './types.js';

/** The calls of `seen` that wait until an event has been fired in this page. */
export interface Awaited {
  /** See `Djr.seen`. */
  seen(id: number | bigint | string, options?: SeenOptions): Promise<void>;
  /** An event has been fired. */
  fired(event: number): void;
  /** Rejects all calls: after a reset or a close nobody knows whether their events will come. */
  end(reason: 'reset' | 'closed'): void;
  /** Whether this page has already fired the event. The connection sets it. */
  known: (event: number) => boolean;
}

/** Milliseconds after which a call is given up by default. */
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
