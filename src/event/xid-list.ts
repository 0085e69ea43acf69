/**
 * Writes transaction ids as a short text: the distances between them as exponential Golomb codes, with six bits in a character. Each
 * id of a run takes one bit; ids that are hundreds apart take about ten.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]));

/** The largest order of the code. The first character of a text is the order. */
const MAX_ORDER = 40;

/** A code that begins with more zeros than this stands for no safe integer. */
const MAX_ZEROS = 53;

/** The number of bits of a positive safe integer. It is not computed with a logarithm, which rounds. */
const bitLength = (value: number): number =>
  value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 2 ** 32));

/** Bits that a value takes in the code of this order. */
function cost(value: number, order: number): number {
  const head = Math.floor(value / 2 ** order) + 1;
  return 2 * bitLength(head) - 1 + order;
}

/** The order in which these values take the fewest bits: a small one for runs, a large one for ids that are far apart. */
function bestOrder(values: readonly number[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  // An order above that of the mean costs more for each value than it saves for any.
  const most = Math.min(MAX_ORDER, bitLength(Math.floor(mean) + 1));
  for (let order = 0; order <= most; order += 1) {
    let bits = 0;
    for (const value of values) bits += cost(value, order);
    if (bits < least) {
      least = bits;
      best = order;
    }
  }
  return best;
}

class Writer {
  text = '';
  #bits = 0;
  #count = 0;

  /** Writes the lowest `count` bits of a value, the highest of them first. */
  write(value: number, count: number): void {
    for (let place = count - 1; place >= 0; place -= 1) {
      this.#bits = this.#bits * 2 + (Math.floor(value / 2 ** place) % 2);
      this.#count += 1;
      if (this.#count < 6) continue;
      this.text += ALPHABET[this.#bits];
      this.#bits = 0;
      this.#count = 0;
    }
  }

  /** Fills the last character with zeros. They are too few to be a code. */
  end(): string {
    if (this.#count > 0) this.write(0, 6 - this.#count);
    return this.text;
  }
}

export interface PackedXids {
  readonly text: string;
  /** How many ids the text holds; they are the first of the list. */
  readonly count: number;
}

/**
 * Packs transaction ids.
 *
 * @param xids - ascending, without repeats, none below `from`
 * @param maxLength - characters that the text may have; ids at the end that do not fit are left out
 */
export function packXids(xids: readonly number[], from: number, maxLength: number): PackedXids {
  let next = from;
  const values = xids.map((xid) => {
    const value = xid - next;
    next = xid + 1;
    return value;
  });
  const order = bestOrder(values);
  const writer = new Writer();
  writer.write(order, 6);
  let bits = 6;
  let count = 0;
  for (const value of values) {
    bits += cost(value, order);
    if (bits > maxLength * 6) break;
    const head = Math.floor(value / 2 ** order) + 1;
    writer.write(0, bitLength(head) - 1);
    writer.write(head, bitLength(head));
    writer.write(value, order);
    count += 1;
  }
  return { text: writer.end(), count };
}

/** @returns undefined if the text was not made by {@link packXids} */
export function unpackXids(text: string, from: number): number[] | undefined {
  const bits: number[] = [];
  for (const character of text) {
    const value = VALUES.get(character);
    if (value === undefined) return undefined;
    for (let place = 5; place >= 0; place -= 1) bits.push((value >> place) & 1);
  }
  let at = 0;
  const read = (count: number): number => {
    let value = 0;
    for (const end = at + count; at < end; at += 1) value = value * 2 + (bits[at] ?? Number.NaN);
    return value;
  };
  const order = read(6);
  if (!(order <= MAX_ORDER)) return undefined;
  const xids: number[] = [];
  let next = from;
  while (at < bits.length) {
    let zeros = 0;
    while (bits[at] === 0) {
      zeros += 1;
      at += 1;
    }
    // Only zeros are left: they fill the last character.
    if (at >= bits.length) return zeros < 6 ? xids : undefined;
    if (zeros > MAX_ZEROS) return undefined;
    const head = read(zeros + 1) - 1;
    const xid = next + head * 2 ** order + read(order);
    if (!Number.isSafeInteger(xid)) return undefined;
    xids.push(xid);
    next = xid + 1;
  }
  return xids;
}
