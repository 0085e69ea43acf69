import { Client, type ClientOptions } from '../../src/clients/client.js';
import type { CloseReason } from '../../src/clients/close-reason.js';
import type { Connection } from '../../src/clients/connection.js';
import { EVERYBODY, userAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';

/** An event for everybody, or for one user, with a detail of so many bytes. */
export const event = (id: number, bytes = 0, userId: string | null = null) => {
  const detail = JSON.stringify({ text: 'x'.repeat(bytes) });
  return new Item(id, new Envelope(id, id, userId === null ? 'public' : 'user', userId, 'news', 0, detail), 'p');
};

/** A client whose connection keeps the events that it is written, and takes it or lets it wait. */
export function openClient(options: Partial<ClientOptions> = {}) {
  const connection: Connection & { buffered: number; progress: number } = {
    write(chunk) {
      for (const [, id] of chunk.toString().matchAll(/^id: ([1-9]\d*)-/gm)) written.push(Number(id));
      if (!state.waits) return true;
      connection.buffered += chunk.length;
      return false;
    },
    buffered: 0,
    progress: 0,
    end: (grace) => void ends.push(grace),
    destroy: () => void ends.push('destroyed'),
    onDrain: undefined,
  };
  const written: number[] = [];
  const ends: unknown[] = [];
  const closed: CloseReason[] = [];
  const sent: [number, string | null][] = [];
  const state = { waits: false };
  const client = new Client({
    userId: 'ada',
    audiences: [EVERYBODY, userAudience('ada')],
    connection,
    incoming: { request: () => new Request('http://localhost/') },
    types: null,
    named: false,
    maxBytes: 10_000,
    beforeSend: undefined,
    onSent: ({ id }, userId) => void sent.push([id, userId]),
    onClose: (_, reason) => void closed.push(reason),
    ...options,
  });
  return { client, connection, written, ends, closed, sent, state };
}
