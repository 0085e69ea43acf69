/** Ids of a page: 128 bytes hold them. */
const PAGE = 1024;

/** A set of event ids, a bit each: ids come from one sequence and lie close together, so that a million take some 300 kB. */
export class IdSet {
  readonly #pages = new Map<number, Uint32Array>();
  /** The page that was used last: the next id is mostly on it, too. */
  #number = -1;
  #page: Uint32Array | undefined;

  add(id: number): void {
    const place = id % PAGE;
    const page = this.#find(Math.floor(id / PAGE)) ?? this.#make();
    page[place >>> 5]! |= 1 << (place & 31);
  }

  has(id: number): boolean {
    const place = id % PAGE;
    const page = this.#find(Math.floor(id / PAGE));
    return page !== undefined && (page[place >>> 5]! & (1 << (place & 31))) !== 0;
  }

  clear(): void {
    this.#pages.clear();
    this.#number = -1;
    this.#page = undefined;
  }

  /** Pages in memory. */
  get pages(): number {
    return this.#pages.size;
  }

  #find(number: number): Uint32Array | undefined {
    if (number !== this.#number) {
      this.#number = number;
      this.#page = this.#pages.get(number);
    }
    return this.#page;
  }

  #make(): Uint32Array {
    this.#page = new Uint32Array(PAGE / 32);
    this.#pages.set(this.#number, this.#page);
    return this.#page;
  }
}
