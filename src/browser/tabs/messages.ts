import type { Grant, Want } from '../topics/words.js';
import type { State } from '../types.js';

/** What the tabs of one stream and one user say to one another. */
export type Said =
  /** A tab with a stream of its own asks for the leader. */
  | ['hello']
  /** The leader is connected: the last id of its stream, the numbers of the events that it has seen, and which tab wants what. */
  | ['welcome', lastId: string, seen: number[], wants: [tab: string, wants: Want[]][]]
  /** A tab wants these topics now. All tabs remember it: any may lead next. */
  | ['want', tab: string, wants: Want[]]
  /** What the leader's stream was asked for and hears. */
  | ['grant', grant: Grant]
  /**
   * A frame of the leader's stream, as text: a browser clones no object that is nested as deeply as a detail may be.
   * `repeat`: the leader had this event before.
   */
  | ['frame', text: string, id: string, repeat: boolean]
  /** The leader lives: its stream's heartbeat with the id; or, without one, the answer to `ask` or a new leader's first word. */
  | ['alive', id: string]
  /** What the leader's stream is doing, when it does not stand. */
  | ['state', state: State]
  /** A tab has heard nothing for long, or has reason to think that the network has changed. */
  | ['ask']
  /** A tab was closed by its app, as on a logout: whose the stream is must be asked anew. */
  | ['bye'];

/** A message with the term of who leads, as far as the sender knows. Terms grow. */
export interface Envelope {
  readonly term: number;
  readonly said: Said;
}
