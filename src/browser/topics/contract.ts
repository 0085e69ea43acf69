import type { Detail } from '../../event/event.js';
import type { Group } from '../tabs/group.js';
import type { Said } from '../tabs/messages.js';
import type { Role } from '../tabs/role.js';
import type { DjrEvent, JoinOptions, Room } from '../types.js';
import type { Request, Want } from './words.js';

/**
 * The interfaces between the client and the part of it that knows topics, which a page loads when it first needs topics.
 * A page may have the client from its cache and the part from a newer server. So a change of this file must also raise the number in
 * the name of the part's function, in topics.ts and load.ts.
 */

/** One call of `join`. */
export interface Member {
  readonly topic: string;
  readonly options: JoinOptions;
  /** The room that `join` returned to the page. The part writes its state and its presence. */
  readonly room: { -readonly [Key in keyof Room]: Room[Key] };
  /** Called when the page leaves the room. */
  left: () => void;
  /** Calls the callbacks that the page has set on the room. */
  tell(type: string, value: unknown, event?: Event): void;
}

/** The group of tabs, as far as the part for topics needs it. */
export interface TopicsTabs {
  readonly role: Role;
  /** Undefined while the tab is alone. */
  readonly group: Group | undefined;
  /** Whether the server has told which user the tab's own stream belongs to. */
  readonly verified: boolean;
  post(...said: Said): void;
  /** Asks to look again whether {@link Topics.covered} is true. */
  covered(): void;
  /** The page needs missed events that no other tab needs: the tab stops following or leading and uses its own stream until it has them. */
  catchUp(): void;
}

/** A page's connection, as far as the part for topics needs it. */
export interface TopicsHost {
  readonly tabs: TopicsTabs;
  /** The page's own stream, open or not; undefined: the page has none of its own. */
  readonly current: (Request & { readonly stands: boolean }) | undefined;
  /** Opens a stream that replaces the current one once it is open. Does nothing while one is being opened already. */
  replace(): void;
  fire(type: string, detail: Detail): void;
}

/** The part for topics, for one connection. */
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

  /** Writes the topics into the address of a stream. */
  ask(url: URL, request: Request): void;
  /** Whether the answer must be a resume because a topic begins at an earlier place. */
  resumes(request: Request, connected: Detail): boolean;
  /** The stream is open, and this is the server's answer. */
  stands(request: Request, connected: Detail): void;
  /** A frame has moved the stream's position. */
  moved(): void;
  /** Whether only this page needs the event: the other tabs have it already, or do not want its topic. */
  isOwn(data: Detail): boolean;

  /** A `want` or `grant` of another tab came. */
  hear(said: Said): void;
  /** What all tabs want, for a tab that has just joined. */
  all(): [tab: string, wants: Want[]][];
  /** A tab has joined and this one leads: tells what the stream was granted. */
  greet(): void;
  /** Takes what the leader knows about the wants of all tabs. */
  learn(all: [tab: string, wants: Want[]][]): void;
  /** Whether the leader's stream was asked for everything that this page wants. */
  covered(): boolean;
  /** Tells the other tabs what this page wants: when it has joined the group, and when a new tab leads. */
  tell(): void;
  /** This tab leads now. */
  leads(): void;
  /** This tab follows now. */
  follows(): void;
  /** No leader is known now. */
  forgetsLeader(): void;
  /** This tab leaves the group. */
  leaves(): void;
}
