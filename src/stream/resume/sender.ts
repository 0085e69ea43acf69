import type { Client } from '../../clients/client.js';
import { positionFrame } from '../../event/frame.js';
import type { Item } from '../../event/item.js';
import { YieldQueue } from '../../lib/yield-queue.js';
import type { ResumeId } from './resume-id.js';

/** Events sent between two looks at whether the client keeps up: so many, or as few as make half of what may wait for it. */
export const CHUNK = 64;

/** The next of these that are sent together, and at least one. */
export function chunkOf<T extends { readonly size: number }>(
  all: readonly T[],
  from: number,
  { maxBytes }: Client,
): T[] {
  let bytes = 0;
  let end = from;
  while (end < all.length && end - from < CHUNK) {
    bytes += all[end]!.size;
    if (end > from && bytes > maxBytes / 2) break;
    end += 1;
  }
  return all.slice(from, end);
}

/** Sends clients that resume what they missed, no faster than each reads, and never so that live events have to wait. */
export class Sender {
  readonly #turns = new YieldQueue();

  /** Resolves when all of it has been written and the client can take more. */
  async sendAll(client: Client, items: readonly Item[], id: ResumeId): Promise<void> {
    for (let sent = 0; sent < items.length && !client.closed; ) {
      const chunk = chunkOf(items, sent, client);
      sent += chunk.length;
      client.sendAll(chunk, id.position);
      id.add(chunk.map(({ envelope }) => envelope));
      // The last one is followed by the client's place in our order, unless it has to read first.
      if (sent < items.length || !client.idle) this.mark(client, id.position);
      await this.keepUp(client);
    }
  }

  /** Moves the client's id on: it has got what was sent, unless a hook still holds any of it. */
  mark(client: Client, position: string): void {
    if (client.hooksPending) return;
    const frame = positionFrame(position, client.pulse);
    if (frame) client.write(frame);
  }

  /** Resolves when the client can take more, and other work has had its turn. */
  async keepUp(client: Client): Promise<void> {
    await client.ready();
    await this.#turns.next();
  }

  /** Resolves when other work has had its turn. */
  turn(): Promise<void> {
    return this.#turns.next();
  }
}
