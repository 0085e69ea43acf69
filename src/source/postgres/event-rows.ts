import { Envelope } from '../../event/envelope.js';
import type { Scope } from '../../event/event.js';
import type { Status } from './status.js';

/** The first of a result has the status and no event, each of the others an event and no status. */
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

/** What no Envelope can be made of: one such row must cost its own event, and no sweep. */
export const isReadable = ([, id, , , , , created]: Row): boolean =>
  created !== null && Number.isSafeInteger(Number(id)) && Number(id) > 0;

const readEnvelope = ([, id, xid, scope, userId, type, created, detail, topic]: Row): Envelope =>
  new Envelope(Number(id), Number(xid), scope, userId, type, Math.trunc(Number(created) / 1000), detail, topic);

/** In which order two events may come one after the other. */
export type Order = (before: Envelope, behind: Envelope) => boolean;

export const ascending: Order = (before, behind) =>
  before.xid! < behind.xid! || (before.xid === behind.xid && before.id < behind.id);

/** Looks at the order: a reading goes on behind its last event, and one that came too early would hide others. */
export function readEnvelopes(rows: Row[], order: Order, last?: Envelope): Envelope[] {
  let before = last;
  return rows.map((row) => {
    const envelope = readEnvelope(row);
    if (before && !order(before, envelope)) throw new Error('PostgreSQL gave rows in another order than was asked for');
    before = envelope;
    return envelope;
  });
}

/** Rows are in the order of transactions: behind the first of another cluster there are only more of them. */
export function ownOf(envelopes: Envelope[], { frontier }: Status): Envelope[] {
  if (envelopes.length === 0 || envelopes.at(-1)!.xid! < frontier.xmax) return envelopes;
  return envelopes.slice(
    0,
    envelopes.findIndex(({ xid }) => xid! >= frontier.xmax),
  );
}
