import type { Audience } from '../event/audience.js';
import type { Frontier } from '../event/frontier.js';

interface Beginning {
  /** Of the last item before it. */
  readonly sequence: number;
  /** Everything of the audience that is not visible in it comes behind the beginning; undefined: not known yet. */
  frontier: Frontier | undefined;
}

/** From where on a history has the events of each audience, where it does not get those of everybody from the start. */
export class Beginnings {
  readonly #begun = new Map<Audience, Beginning>();

  /** @param sequence - of the last item before it */
  begin(audience: Audience, sequence: number, frontier: Frontier | undefined): void {
    this.#begun.set(audience, { sequence, frontier });
  }

  settle(audience: Audience, frontier: Frontier): void {
    const beginning = this.#begun.get(audience);
    if (beginning) beginning.frontier = frontier;
  }

  end(audience: Audience): void {
    this.#begun.delete(audience);
  }

  clear(): void {
    this.#begun.clear();
  }

  /** Whether every event of these audiences after this sequence number came. */
  reach(sequence: number, audiences: Iterable<Audience>): boolean {
    return this.#all(audiences, (beginning) => sequence >= beginning.sequence);
  }

  /** Whether every event of these audiences that is new since a frontier came. */
  cover(frontier: Frontier, audiences: Iterable<Audience>): boolean {
    return this.#all(
      audiences,
      (beginning) => beginning.frontier !== undefined && frontier.contains(beginning.frontier),
    );
  }

  #all(audiences: Iterable<Audience>, holds: (beginning: Beginning) => boolean): boolean {
    for (const audience of audiences) {
      const beginning = this.#begun.get(audience);
      if (!beginning || !holds(beginning)) return false;
    }
    return true;
  }
}
