import type { Detail, EventMap, EventsOf } from '../event/event.js';

/** What a page acknowledges: that it got an event (`delivered`), or that it showed it (`read`). */
export type AckStatus = 'delivered' | 'read';

/** A detail as it reaches the page: with the event's type. */
export type Message<D extends object = Detail, Type extends string = string> = D & { type: Type };

/** What `onMessage` gets: each event of a map, `connected` and `reset`. */
export type MessageOf<Events extends EventsOf<Events>> = string extends keyof Events
  ? Message
  :
      | { [Type in keyof Events & string]: Message<Events[Type], Type> }[keyof Events & string]
      | { type: 'connected' }
      | { type: 'reset'; reason: string };

/**
 * What a stream is doing, as `djr:state` tells it:
 *
 * - `connecting`: a request is on its way.
 * - `open`: the server has confirmed that the stream is connected.
 * - `waiting`: the stream was cut off or could not be opened; the next attempt is at `at`.
 * - `refused`: the server answered with `status`; the next attempt is at `at`.
 * - `closed`: the page closed it.
 */
export interface State {
  readonly state: 'connecting' | 'open' | 'waiting' | 'refused' | 'closed';
  /** Milliseconds since 1970. */
  readonly at?: number;
  /** The HTTP status. */
  readonly status?: number;
  /** Why the server ended the stream, if it said so: the reason that `djr.disconnect` was given, or that the login has expired. */
  readonly reason?: string;
}

/** The DOM event `djr:TYPE`. Its `detail` is what was published, with the type. */
export interface DjrEvent<D = Message> extends CustomEvent<D> {
  /** The number that `djr.publish` returned; undefined for what the client itself fires, as `djr:connected`. */
  readonly id?: number;
  /** When it was inserted, by the database's clock. */
  readonly createdAt?: Date;
}

/** Options of `seen`. */
export interface SeenOptions {
  /** Milliseconds after which the promise is rejected with `timeout`. @defaultValue 10000 */
  timeout?: number;
}

/** Who hears a topic. */
export interface Presence {
  /** Their ids, each user once; undefined if there are more than 200. Anonymous clients are not among them. */
  readonly users: readonly string[] | undefined;
  readonly count: number;
  /** Users who came since the last `presence`. */
  readonly joined: readonly string[];
  /** Users who went since then. */
  readonly left: readonly string[];
}

/** Options of `join`. */
export interface JoinOptions {
  /**
   * What `djr.seal` made for the topic, or a function that gets a new one. The function is called at once, again some time before
   * the seal ends, and once when the permission is lost. If it fails, it is called again later.
   * @defaultValue the topic is asked for by name, and the server's `authorize_topic` or `authorizeTopic` decides
   */
  seal?: string | (() => string | Promise<string>);
  /** What `djr.position()` returned with the room's state: the room gets the events that were published after it. @defaultValue from now on */
  since?: string;
  /** Called with the reason when the topic is refused, or the permission is revoked, and no new seal helps. */
  onLeft?: (reason: string) => void;
}

/** A topic that the page hears, as `join` returns it. */
export interface Room<Events extends EventsOf<Events> = EventMap> {
  readonly topic: string;
  /** `left`: the page left the room, or the server no longer allows it. */
  readonly state: 'joining' | 'joined' | 'left';
  /** Undefined until it is known, and while the server's option `presence` is off. */
  readonly presence: Pick<Presence, 'users' | 'count'> | undefined;
  /**
   * Calls back when users come or go.
   *
   * @returns a function that ends it.
   */
  on(type: 'presence', callback: (presence: Presence) => void): () => void;
  /** Calls back when {@link Room.state} changes. @returns a function that ends it. */
  on(type: 'state', callback: (state: Room['state']) => void): () => void;
  /** Calls back for each event of a type in this topic. @returns a function that ends it. */
  on<Type extends keyof Events & string>(
    type: Type,
    callback: (detail: Message<Events[Type], Type>, event: DjrEvent<Message<Events[Type], Type>>) => void,
  ): () => void;
  /** Leaves the room. Other rooms of the same topic in this page still get its events. */
  leave(): void;
}

/** Options of `connect`; `docs/browser.md` explains them. */
export interface ConnectOptions<Events extends EventsOf<Events> = EventMap> {
  /**
   * Address of the stream, relative to the page; it may have a query of its own (`?types=chat`).
   * @defaultValue the `sse/` beside the script that the page loaded; for the module `/realtime/sse/`
   */
  endpoint?: string;
  /** Called with each message, `connected` and `reset` among them, and with its DOM event, which has `id` and `createdAt`. */
  onMessage?: (message: MessageOf<Events>, event: DjrEvent<MessageOf<Events>>) => void;
  /** Called when the stream is open, and again after each interruption. */
  onConnect?: () => void;
  /** Called for each failed attempt; the client tries again by itself. */
  onError?: (error: Event) => void;
  /** Called once when the stream is interrupted. */
  onDisconnect?: () => void;
  /** Called when missed events can no longer be had, with the reason: fetch your state again. */
  onReset?: (reason: string) => void;
  /**
   * Writes every message to the console.
   * @defaultValue false
   */
  debug?: boolean;
  /**
   * Sent as `?token=`. A function is called before each new request, so that the token may expire, and has 10 s to answer.
   * The token is sent to another origin than the page's own only if the same call names the `endpoint`.
   */
  token?: string | (() => string | Promise<string>);
  /** What `djr.position()` returned with the page's data: the first stream starts there. */
  since?: string;
  /** The id of a frame that was handled before: the stream goes on after it. */
  lastEventId?: string;
  /**
   * All tabs of the same endpoint and user use one stream, where the browser has Web Locks and BroadcastChannel.
   * @defaultValue true
   */
  shareTabs?: boolean;
  /**
   * Only tabs with the same key share a stream. The server tells users apart by itself; the key is for anything else in which
   * streams of one user and endpoint differ.
   */
  shareKey?: string;
  /**
   * Sends cookies to another origin.
   * @defaultValue false
   */
  withCredentials?: boolean;
}

/** What `connect` returns. */
export interface Connection<Events extends EventsOf<Events> = EventMap> {
  /** The absolute address of the stream, without token and position. */
  readonly url: string;
  /** As an EventSource has it. 0: connecting, waiting or refused; 1: open; 2: closed. */
  readonly readyState: 0 | 1 | 2;
  /** What the last `djr:state` of this stream said. */
  readonly state: State;
  /** Id of the last frame, for the option `lastEventId`. */
  readonly lastEventId: string;
  /** {@link Djr.seen} for this connection, if the page has several endpoints. */
  seen(id: number | bigint | string, options?: SeenOptions): Promise<void>;
  /** {@link Djr.join} for this connection, if the page has several endpoints. */
  join(topic: string, options?: JoinOptions): Room<Events>;
  /** Ends these callbacks. When the last caller of `connect` for an endpoint closes, the stream is closed. */
  close(): void;
}

/** The client: `window.djr`, or the module's default export. */
export interface Djr<Events extends EventsOf<Events> = EventMap> {
  /**
   * Connects the page to a stream, whose events are then fired on `window` as `djr:TYPE`.
   *
   * A second call for the same endpoint adds its callbacks to the existing connection, so that each event is fired once. Of the
   * other options those of the first call apply.
   *
   * @throws TypeError when a token would go to another origin and the call does not name the endpoint.
   */
  connect(options?: ConnectOptions<Events>): Connection<Events>;
  /**
   * Calls back for each event of a type.
   *
   * @returns a function that ends it.
   */
  subscribe<Type extends keyof Events & string>(
    type: Type,
    callback: (detail: Message<Events[Type], Type>, event: DjrEvent<Message<Events[Type], Type>>) => void,
  ): () => void;
  /**
   * Acknowledges that this user's page got (`delivered`) or showed (`read`) an event; the backend finds it in `djr.activity`.
   *
   * @param event - what `djr:TYPE` fired, or its detail, or the number that `djr.publish` returned
   * @returns whether it is an event of this user; other events cannot be acknowledged
   * @throws (rejects) when the request fails: 401 for an anonymous client, 429 for too many, no network
   */
  ack(event: CustomEvent<Detail> | Detail | number, status?: AckStatus): Promise<boolean>;
  /**
   * Gets the events of a topic, on the page's first connection, or on the one that the page is about to make. Joining and leaving
   * rooms loses no event.
   *
   * @throws TypeError when the topic is no text, or an empty one
   */
  join(topic: string, options?: JoinOptions): Room<Events>;
  /**
   * Resolves when an event has been fired in this page, on its first connection: at once when it already was.
   *
   * @param id - what `djr.publish` returned, as number, bigint or text
   * @throws (rejects) with an Error whose `reason` is `timeout` (after 10 s, or the option `timeout`), `reset` (missed events can no
   * longer be had) or `closed`; with a TypeError if the id is not a number that `djr.publish` can return
   */
  seen(id: number | bigint | string, options?: SeenOptions): Promise<void>;
  /** Closes all connections of this page, as on a logout. Other tabs then ask the server again which user their stream belongs to. */
  close(): void;
}
