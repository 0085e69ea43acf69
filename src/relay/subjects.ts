import type { Audience } from '../event/audience.js';

/**
 * What a message of the log is. A `claim` is the checkpoint with which a source takes the log over; a `filler` takes a place
 * that a message of the source before might have taken (docs/relay.md).
 */
export type Kind = 'event' | 'order' | 'checkpoint' | 'claim' | 'filler';

const TOKENS: Readonly<Record<string, Kind>> = { a: 'event', o: 'order', c: 'checkpoint', t: 'claim', f: 'filler' };

/** Republished copies of the log's messages come below this token. */
const LIVE = 'live';

/** Requests to sources come below this token: they are not in the log. */
const ASK = 'ask';

/**
 * The names that one relay uses in the engine. The generation is a part of every subject of the log: a log that was made
 * anew is never taken for the one before.
 */
export class Subjects {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  /** The stream's name. */
  get stream(): string {
    return `DJR_${this.namespace}`;
  }

  /** All that the stream stores. */
  get log(): string {
    return `djr.${this.namespace}.>`;
  }

  event(generation: string, audience: Audience): string {
    return `djr.${this.namespace}.${generation}.a.${encodeAudience(audience)}`;
  }

  /** For what `djr.disconnect` and `djr.recheck` order. */
  order(generation: string): string {
    return `djr.${this.namespace}.${generation}.o`;
  }

  /** The checkpoints of one writer. */
  checkpoint(generation = '*', term = '*'): string {
    return `djr.${this.namespace}.${generation}.c.${term}`;
  }

  claim(generation = '*'): string {
    return `djr.${this.namespace}.${generation}.t`;
  }

  filler(generation: string): string {
    return `djr.${this.namespace}.${generation}.f`;
  }

  /** The live copy of a subject of the log. */
  live(subject: string): string {
    return `${LIVE}.${subject}`;
  }

  /** A request to the sources. */
  ask(what: string): string {
    return `${ASK}.djr.${this.namespace}.${what}`;
  }

  /** What a source tells all edges. */
  tell(what: string): string {
    return `tell.djr.${this.namespace}.${what}`;
  }

  /** @returns undefined when it is no subject of this log, nor a live copy of one */
  parse(subject: string): { kind: Kind; generation: string } | undefined {
    const tokens = subject.split('.');
    if (tokens[0] === LIVE) tokens.shift();
    const [root, namespace, generation, token] = tokens;
    const kind = TOKENS[token ?? ''];
    if (root !== 'djr' || namespace !== this.namespace || !generation || !kind) return undefined;
    const length = kind === 'event' || kind === 'checkpoint' ? 5 : 4;
    return tokens.length === length ? { kind, generation } : undefined;
  }
}

/** One token of a subject: an audience may have dots, stars and white space. */
const encodeAudience = (audience: Audience): string => Buffer.from(audience).toString('base64url');
