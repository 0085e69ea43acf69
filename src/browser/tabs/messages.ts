import type { Grant, Want } from '../topics/words.js';
import type { State } from '../types.js';

/** The messages between tabs that share a stream. */
export type Said =
  /** A tab with a stream of its own asks for the leader. */
  | ['hello']
  /** The leader is connected. It tells the last id of its stream, the numbers of the events that it has seen, and what each tab wants. */
  | ['welcome', lastId: string, seen: number[], wants: [tab: string, wants: Want[]][]]
  /** A tab wants these topics now. Every tab remembers it, because any of them may lead next. */
  | ['want', tab: string, wants: Want[]]
  /** What the leader's stream was asked for, and which of it the server granted. */
  | ['grant', grant: Grant]
  /**
   * A frame of the leader's stream. It is text, because a detail may be nested more deeply than a browser can clone an object.
   * `repeat`: the leader had this event before.
   */
  | ['frame', text: string, id: string, repeat: boolean]
  /** The leader lives. With an id it is a heartbeat of its stream; without one it answers `ask`, or announces a new leader. */
  | ['alive', id: string]
  /** What the leader's stream is doing while it is not open. */
  | ['state', state: State]
  /** A tab asks whether the leader lives: it has heard nothing for long, or has reason to think that the network has changed. */
  | ['ask']
  /** The app closed the connection of a tab, as on a logout: the others must ask the server again which user they are. */
  | ['bye'];

/** A message with the term of the leader that its sender knows. Each new leader has a higher term. */
export interface Envelope {
  readonly term: number;
  readonly said: Said;
}
