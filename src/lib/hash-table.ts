/** Entries of a new table. The number of entries is always a power of two. */
const FIRST_ENTRIES = 64;

/**
 * A number for each hash of a text. It keeps only the hashes and not the texts, so that an entry takes some 15 bytes, where a Map takes 80.
 * Two texts with the same hash share an entry, so the caller must check whether an entry is about the text that it means.
 */
export class HashTable {
  /** For each entry the hash, and the value plus one; 0: the entry is free. Open addressing with linear probing. */
  #cells = new Uint32Array(FIRST_ENTRIES * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns the value; undefined: there is no entry */
  get(hash: number): number | undefined {
    const value = this.#cells[this.#find(hash) + 1]!;
    return value === 0 ? undefined : value - 1;
  }

  /** @param value - a whole number from 0 to 2^32 - 2 */
  set(hash: number, value: number): void {
    // A table that is more than seven tenths full takes long to probe, so it grows.
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
    // Entries after it that could not be found across a free entry move up.
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

  /** The place of this hash, or the free place where it belongs. */
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

/** A different number in each process, so that nobody can prepare texts with the same hash, which would cost time. */
const SEED = Math.floor(Math.random() * 2 ** 32);

/** A hash of 32 bits: FNV-1a over UTF-16 units, with the upper bits mixed into the lower ones, by which a table finds its place. */
export function hashOf(text: string): number {
  let hash = SEED;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
