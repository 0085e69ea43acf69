/** An earlier event of a transaction: its place in the log, and the hash of its audience. */
export interface Earlier {
  readonly sequence: number;
  readonly hash: number;
}

/** Audiences that a message names at most, and what it has in their place where there are more. */
const MAX_NAMED = 16;
export const UNNAMED = '*';

/**
 * The events of one transaction as they come into the log. Each names the last one of every other audience before it, so that an edge
 * that hears its own subjects alone finds out at once that one of those has not come, and keeps the order of the transaction.
 */
export class Transaction {
  readonly xid: number;
  /** By the hash of the audience, the sequence of its last event; undefined: more than a message names, or unknown. */
  #last: Map<number, number> | undefined;

  /** @param isWhole - no event of it has come into the log before this writer's first */
  constructor(xid: number, isWhole: boolean) {
    this.xid = xid;
    this.#last = isWhole ? new Map() : undefined;
  }

  /** The next event. @returns what its message says of those before it; undefined: there is none for anybody else */
  add(sequence: number, hash: number): string | undefined {
    const last = this.#last;
    if (!last) return UNNAMED;
    const others = [...last].filter(([other]) => other !== hash);
    last.set(hash, sequence);
    if (last.size > MAX_NAMED) this.#last = undefined;
    if (others.length === 0) return undefined;
    return others.map(([other, at]) => `${(sequence - at).toString(36)}.${other.toString(36)}`).join();
  }
}

/** @returns the earlier events that a message at this sequence names; undefined: there are some that it does not name */
export function earlierOf(text: string | undefined, sequence: number): Earlier[] | undefined {
  if (text === UNNAMED) return undefined;
  if (!text) return [];
  return text.split(',').map((one) => {
    const [distance = '', hash = ''] = one.split('.');
    return { sequence: sequence - Number.parseInt(distance, 36), hash: Number.parseInt(hash, 36) };
  });
}
