import type { Presence } from '../types.js';

/** A topic that a page wants to hear, its seal ('': it asks by name), and where its state was read, until that is caught up. */
export type Want = readonly [topic: string, seal: string, since: string];

/** Who hears a topic, as far as it was told. */
export type Present = Pick<Presence, 'users' | 'count'>;

/** What a stream was asked for: each topic with its seals, and, as `since=…`, its beginning. */
export type Asked = Map<string, readonly string[]>;

/** One attempt to have a stream, as far as topics go. */
export interface Request {
  /** Undefined: for no topics. */
  asked: Asked | undefined;
  /** Topics for which the address had no room. */
  over: string[];
}

/** What the server answered to a stream. The leading tab passes it on. */
export interface Grant {
  readonly asked: Asked;
  /** Topics that it hears, and when that ends, milliseconds since 1970 by the page's clock. */
  readonly topics: Map<string, number>;
  /** With why not. */
  readonly refused: ReadonlyMap<string, string>;
  readonly present: Map<string, Present>;
  /** Whether all that was missed has come. */
  readonly level: boolean;
}
