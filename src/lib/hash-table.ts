/** Entries of a new table; always a power of two. */
const FIRST_ENTRIES = 64;

/**
 * A number for each text, in some 15 bytes an entry where a Map with its texts takes 80: it keeps the texts' hashes alone. Two
 * texts of one hash are one entry, so whoever uses it looks whether an entry is about the text that was meant.
 */
export class HashTable {
  /** Of each entry a hash, and a value and one; 0: the entry is free. Open addressing, with linear probing. */
  #cells = new Uint32Array(FIRST_ENTRIES * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns undefined: there is none */
  get(hash: number): number | undefined {
    const value = this.#cells[this.#find(hash) + 1]!;
    return value === 0 ? undefined : value - 1;
  }

  /** @param value - a whole number from 0 to 2^32 - 2 */
  set(hash: number, value: number): void {
    // Beyond seven tenths probing takes long.
    if (this.#size * 20 >= this.#cells.length * 7) this.#resize(this.#cells.length * 2);
    const at = this.#find(hash);
    if (this.#cells[at + 1] === 0) this.#size += 1;
    this.#cells[at] = hash;
    this.#cells[at + 1] = value + 1;
  }

  delete(hash: number): void {
    const cells = this.#cells;
    const mask = cells.length - 1;
    let free = this.#find(hash);
    if (cells[free + 1] === 0) return;
    this.#size -= 1;
    // What lies behind it, and would not be found across a free entry, moves up.
    for (let at = (free + 2) & mask; cells[at + 1] !== 0; at = (at + 2) & mask) {
      const home = (cells[at]! * 2) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      cells[free] = cells[at]!;
      cells[free + 1] = cells[at + 1]!;
      free = at;
    }
    cells[free + 1] = 0;
    if (cells.length > FIRST_ENTRIES * 2 && this.#size * 10 < cells.length) this.#resize(cells.length / 2);
  }

  /** Where this hash is, or the free place where it belongs. */
  #find(hash: number): number {
    const cells = this.#cells;
    const mask = cells.length - 1;
    let at = (hash * 2) & mask;
    while (cells[at + 1] !== 0 && cells[at] !== hash) at = (at + 2) & mask;
    return at;
  }

  #resize(length: number): void {
    const before = this.#cells;
    this.#cells = new Uint32Array(length);
    for (let at = 0; at < before.length; at += 2) {
      if (before[at + 1] === 0) continue;
      const to = this.#find(before[at]!);
      this.#cells[to] = before[at]!;
      this.#cells[to + 1] = before[at + 1]!;
    }
  }
}

/** Another one in each process, so that texts of one hash are hard to make beforehand: they would cost time. */
const SEED = Math.floor(Math.random() * 2 ** 32);

/** A hash of 32 bits: FNV-1a over UTF-16 units, and its upper bits brought down, where a table looks. */
export function hashOf(text: string): number {
  let hash = SEED;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
