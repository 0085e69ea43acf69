/** A set of small whole numbers, with one bit for each. */
export class Bits {
  #words = new Uint32Array(32);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(number: number): boolean {
    return ((this.#words[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
  }

  add(number: number): void {
    const word = number >>> 5;
    if (word >= this.#words.length) {
      const words = new Uint32Array(Math.max(word + 1, this.#words.length * 2));
      words.set(this.#words);
      this.#words = words;
    }
    const before = this.#words[word]!;
    this.#words[word] = before | (1 << (number & 31));
    if (this.#words[word] !== before) this.#size += 1;
  }

  delete(number: number): void {
    const word = number >>> 5;
    const before = this.#words[word] ?? 0;
    const after = (before & ~(1 << (number & 31))) >>> 0;
    if (after === before) return;
    this.#words[word] = after;
    this.#size -= 1;
  }

  /** The smallest one. */
  get first(): number | undefined {
    const word = this.#words.findIndex((bits) => bits !== 0);
    return word < 0 ? undefined : word * 32 + lowest(this.#words[word]!);
  }

  /** All of them, ascending. */
  toArray(): number[] {
    const numbers = new Array<number>(this.#size);
    let count = 0;
    for (let word = 0; word < this.#words.length; word += 1) {
      for (let left = this.#words[word]! | 0; left !== 0; left &= left - 1) {
        numbers[count] = word * 32 + lowest(left);
        count += 1;
      }
    }
    return numbers;
  }
}

/** The place of the lowest bit that is set. */
const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits);
