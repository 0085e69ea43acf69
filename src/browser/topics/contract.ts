import type { Detail } from '../../event/event.js';
import type { Group } from '../tabs/group.js';
import type { Said } from '../tabs/messages.js';
import type { Role } from '../tabs/role.js';
import type { DjrEvent, JoinOptions, Room } from '../types.js';
import type { Request, Want } from './words.js';

/**
 * What the client and the part of it that knows topics, which a page loads when it first needs it, say to each other.
 * A page may have the client from its cache and the part from a newer server: whoever changes this file counts up
 * the name of the part's function in topics.ts and load.ts.
 */

/** One call of `join`. */
export interface Member {
  readonly topic: string;
  readonly options: JoinOptions;
  /** What the page has. The part writes its state and its presence. */
  readonly room: { -readonly [Key in keyof Room]: Room[Key] };
  /** Called when the page leaves the room. */
  left: () => void;
  /** Calls those who listen on the room. */
  tell(type: string, value: unknown, event?: Event): void;
}

/** The tabs of an endpoint and user, as the part sees them. */
export interface TopicsTabs {
  readonly role: Role;
  /** Undefined where the tab is alone. */
  readonly group: Group | undefined;
  /** Whether it is known whose the tab's own stream is. */
  readonly verified: boolean;
  post(...said: Said): void;
  /** {@link Topics.covered} may be true now. */
  covered(): void;
  /** The page needs what no other tab does: a tab that follows or leads has a stream for itself until it has it. */
  catchUp(): void;
}

/** A page's connection, as the part sees it. */
export interface TopicsHost {
  readonly tabs: TopicsTabs;
  /** The stream that stands or is to stand; undefined: the page has none of its own. */
  readonly current: (Request & { readonly stands: boolean }) | undefined;
  /** Opens a stream that takes the place of the current one when it stands. It does nothing while there is one already. */
  replace(): void;
  fire(type: string, detail: Detail): void;
}

/** The part's side of one connection. */
export interface Topics {
  join(member: Member): void;
  hears(topic: string): boolean;
  /** An event of a topic. `fresh`: this page has not shown it before. */
  event(event: DjrEvent, fresh: boolean): void;
  /** A frame about a topic that is no event: `left` or `presence`. */
  frame(data: Detail): void;
  tick(): void;
  /** The page has closed its connection. */
  close(): void;

  /** Writes into the address of a stream what it is to be asked for. */
  ask(url: URL, request: Request): void;
  /** Whether an answer must be a resume, as it begins a topic at an earlier place. */
  resumes(request: Request, connected: Detail): boolean;
  /** The stream stands, with this answer. */
  stands(request: Request, connected: Detail): void;
  /** A frame has brought the stream to a further place. */
  moved(): void;
  /** An event that only this page needs: the other tabs of the stream have it, or want nothing of its topic. */
  isOwn(data: Detail): boolean;

  /** Another tab says `want` or `grant`. */
  hear(said: Said): void;
  /** What all tabs want, for a tab that comes. */
  all(): [tab: string, wants: Want[]][];
  /** A tab has come, and this one leads: it hears what the stream is granted. */
  greet(): void;
  /** What the tab that leads has said of all tabs. */
  learn(all: [tab: string, wants: Want[]][]): void;
  /** Whether the leading tab's stream was asked for all that this page wants. */
  covered(): boolean;
  /** Says what this page wants to the tabs that it has met, or to a new one that leads. */
  tell(): void;
  /** This tab leads now. */
  leads(): void;
  /** This tab follows now. */
  follows(): void;
  /** Nobody is known to lead now. */
  forgetsLeader(): void;
  /** This tab leaves the others. */
  leaves(): void;
}
