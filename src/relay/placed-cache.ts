import type { Placed } from './reader.js';

/** Checkpoints that are kept, and entries of their manifests: an hour of a busy log, some 20 MB. */
const MAX_CHECKPOINTS = 20_000;
const MAX_ENTRIES = 2_000_000;

/** Checkpoints that were read or heard: a thousand clients that come back walk the same way. The oldest go first. */
export class PlacedCache {
  readonly #placed = new Map<string, Placed>();
  #entries = 0;

  get size(): number {
    return this.#placed.size;
  }

  add(placed: Placed): void {
    const key = keyOf(placed.generation, placed.sequence);
    if (this.#placed.has(key)) return;
    this.#placed.set(key, placed);
    this.#entries += placed.said.manifest.length;
    for (const [oldest, { said }] of this.#placed) {
      if (this.#placed.size <= MAX_CHECKPOINTS && this.#entries <= MAX_ENTRIES) break;
      this.#placed.delete(oldest);
      this.#entries -= said.manifest.length;
    }
  }

  /** The checkpoint at this place. A log that was taken back may have another one there: the chain says which follows. */
  find(generation: string, sequence: number): Placed | undefined {
    return this.#placed.get(keyOf(generation, sequence));
  }

  clear(): void {
    this.#placed.clear();
    this.#entries = 0;
  }
}

const keyOf = (generation: string, sequence: number): string => `${generation} ${sequence}`;
