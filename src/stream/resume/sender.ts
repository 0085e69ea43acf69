import type { Client } from '../../clients/client.js';
import { positionFrame } from '../../event/frame.js';
import type { Item } from '../../event/item.js';
import { YieldQueue } from '../../lib/yield-queue.js';
import type { ResumeId } from './resume-id.js';

/** Up to so many events are sent before it is checked whether the client keeps up; fewer if they make half of the bytes that may wait for it. */
export const CHUNK = 64;

/** The next events that are sent together: at least one. */
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

/** Sends missed events to clients that resume: no faster than each of them reads, and in small portions, so that live events do not wait. */
export class Sender {
  readonly #turns = new YieldQueue();

  /** Resolves when all items have been written and the client can take more. */
  async sendAll(client: Client, items: readonly Item[], id: ResumeId): Promise<void> {
    for (let sent = 0; sent < items.length && !client.closed; ) {
      const chunk = chunkOf(items, sent, client);
      sent += chunk.length;
      client.sendAll(chunk, id.position);
      id.add(chunk.map(({ envelope }) => envelope));
      // After the last chunk the caller moves the client's id, unless the client has to read first.
      if (sent < items.length || !client.idle) this.mark(client, id.position);
      await this.keepUp(client);
    }
  }

  /** Writes a frame that sets the client's last event id to this position; nothing while `beforeSend` has not answered for an earlier event. */
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
