import { Envelope } from '../../event/envelope.js';
import type { Scope } from '../../event/event.js';
import type { Status } from './status.js';

/** A row of a reading. The first row of a result has the status and no event; each other row has an event and no status. */
export type Row = [
  status: string | null,
  id: string,
  xid: string,
  scope: Scope,
  userId: string | null,
  type: string,
  created: string | null,
  detail: string,
  topic: string | null,
];

/** Whether an Envelope can be made of a row. If not, only that event is skipped, and the sweep goes on. */
export const isReadable = ([, id, , , , , created]: Row): boolean =>
  created !== null && Number.isSafeInteger(Number(id)) && Number(id) > 0;

const readEnvelope = ([, id, xid, scope, userId, type, created, detail, topic]: Row): Envelope =>
  new Envelope(Number(id), Number(xid), scope, userId, type, Math.trunc(Number(created) / 1000), detail, topic);

/** Whether the second event may come after the first in a reading. */
export type Order = (before: Envelope, behind: Envelope) => boolean;

export const ascending: Order = (before, behind) =>
  before.xid! < behind.xid! || (before.xid === behind.xid && before.id < behind.id);

/** Makes envelopes of rows, and checks their order: a reading goes on after its last event, so an event out of order would hide others. */
export function readEnvelopes(rows: Row[], order: Order, last?: Envelope): Envelope[] {
  let before = last;
  return rows.map((row) => {
    const envelope = readEnvelope(row);
    if (before && !order(before, envelope)) throw new Error('PostgreSQL gave rows in another order than was asked for');
    before = envelope;
    return envelope;
  });
}

/** Drops events with transaction ids of another cluster, which a restore brought. They are at the end, as rows come in the order of transactions. */
export function ownOf(envelopes: Envelope[], { frontier }: Status): Envelope[] {
  if (envelopes.length === 0 || envelopes.at(-1)!.xid! < frontier.xmax) return envelopes;
  return envelopes.slice(
    0,
    envelopes.findIndex(({ xid }) => xid! >= frontier.xmax),
  );
}
