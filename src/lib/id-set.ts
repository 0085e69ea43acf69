/** Ids in one page, which takes 128 bytes. */
const PAGE = 1024;

/** A set of event ids with one bit for each. Event ids come from one sequence and lie close together, so a million of them take some 300 kB. */
export class IdSet {
  readonly #pages = new Map<number, Uint32Array>();
  /** The page that was used last, on which the next id mostly is as well. */
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

  /** How many pages it has. */
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
