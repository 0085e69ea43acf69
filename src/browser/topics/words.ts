import type { Presence } from '../types.js';

/** A topic that a page wants, its seal ('': the page asks by name), and the position at which its state was read ('': none, or caught up). */
export type Want = readonly [topic: string, seal: string, since: string];

/** Who hears a topic, as far as the server has told. */
export type Present = Pick<Presence, 'users' | 'count'>;

/** What a stream was asked for: each topic with its seals and, as a last element `since=…`, the place at which it begins. */
export type Asked = Map<string, readonly string[]>;

/** One attempt to open a stream, as far as topics go. */
export interface Request {
  /** Undefined: it was asked for no topics. */
  asked: Asked | undefined;
  /** Topics for which the address had no room. */
  over: string[];
}

/** What the server granted to a stream. The leading tab passes it on to the others. */
export interface Grant {
  readonly asked: Asked;
  /** Topics whose events the stream gets, and when that ends, in milliseconds since 1970 by the page's clock. */
  readonly topics: Map<string, number>;
  /** Topics that were refused, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
  readonly present: Map<string, Present>;
  /** Whether all missed events have come. */
  readonly level: boolean;
}
