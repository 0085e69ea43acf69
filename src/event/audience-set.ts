import type { Audience } from './audience.js';

/** Separates audiences: neither a user's id nor a topic can contain it. */
const END = '\0';

/**
 * The audiences of one client, as one text. A client may hear a hundred topics that nobody else hears, and one text with their names
 * takes a third of the memory of an array.
 */
export class AudienceSet implements Iterable<Audience> {
  /** All audiences, with {@link END} before and after each. */
  readonly #text: string;

  constructor(audiences: Iterable<Audience>) {
    const all = [...new Set(audiences)];
    this.#text = all.length === 0 ? END : `${END}${all.join(END)}${END}`;
  }

  /** Whether the client has an audience. It is compared in place, so a delivery makes no new text. */
  has(audience: Audience): boolean {
    const text = this.#text;
    const { length } = audience;
    // The bound is for an empty text, which is found at every place, and behind the last one again and again.
    for (let at = text.indexOf(audience); at >= 0 && at < text.length; at = text.indexOf(audience, at + 1)) {
      if (text[at - 1] === END && text[at + length] === END) return true;
    }
    return false;
  }

  without(audience: Audience): AudienceSet {
    return new AudienceSet([...this].filter((own) => own !== audience));
  }

  [Symbol.iterator](): Iterator<Audience> {
    const names = this.#text === END ? [] : this.#text.slice(1, -1).split(END);
    return names[Symbol.iterator]();
  }
}
