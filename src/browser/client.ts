import type { Detail, EventMap } from '../event.js';
import { type AckStatus, acknowledge, originOf } from './ack.js';
import { createConnection, type SharedConnection, safely } from './connection.js';
import { defaults } from './defaults.js';

export type { AckStatus, Detail, EventMap };

/** A detail as it reaches the page: with the event's type. */
export type Message<D extends Detail = Detail, Type extends string = string> = D & { type: Type };

/** Options of {@link connect}; `docs/browser.md` explains them. */
export interface ConnectOptions {
  /**
   * Address of the stream, relative to the page; it may have a query of its own (`?types=chat`).
   * @defaultValue the `sse/` beside the script that the page loaded; for the module `/realtime/sse/`
   */
  endpoint?: string;
  /** Called with each message, `connected` and `reset` among them. */
  onMessage?: (message: Message) => void;
  /** Called when the stream stands, again after each interruption. */
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
  /** Sent as `?token=`; a function is asked before each new request, so that the token may expire. */
  token?: string | (() => string | Promise<string>);
  /** What `djr.position()` returned with the page's data: the stream starts there, until a first id is had. */
  since?: string;
  /** The id of a frame that was handled before; the stream goes on behind it. */
  lastEventId?: string;
  /**
   * All tabs of the same endpoint and user use one stream, where the browser has Web Locks and BroadcastChannel.
   * @defaultValue true
   */
  shareTabs?: boolean;
  /**
   * Only tabs of the same key share. The server keeps users apart by itself; this is for what else differs
   * between the streams of one user and endpoint.
   */
  shareKey?: string;
  /**
   * Sends cookies to another origin.
   * @defaultValue false
   */
  withCredentials?: boolean;
}

/** What {@link connect} returns. */
export interface Connection {
  /** The absolute address of the stream, without token and position. */
  readonly url: string;
  /** 0 connecting, 1 open, 2 closed, as an EventSource has it. */
  readonly readyState: 0 | 1 | 2;
  /** Id of the last frame, for `lastEventId`. */
  readonly lastEventId: string;
  /** Forgets these callbacks; the last one to close an endpoint closes its stream. */
  close(): void;
}

/** The client: `window.djr`, or the module's default export. */
export interface Djr<Events extends EventMap = EventMap> {
  connect(options?: ConnectOptions): Connection;
  subscribe<Type extends keyof Events & string>(
    type: Type,
    callback: (detail: Message<Events[Type], Type>, event: CustomEvent<Message<Events[Type], Type>>) => void,
  ): () => void;
  ack(event: CustomEvent<Detail> | Detail | number, status?: AckStatus): Promise<boolean>;
  close(): void;
}

declare global {
  interface Window {
    /** Set by the script `djr.js`. */
    djr: Djr;
    /** The same object, for pages written for DjangoRealtime. */
    DjangoRealtime: Djr;
    /** The connection that the script made by itself. */
    djangoRealtimeConnection?: Connection;
  }
  interface WindowEventMap {
    [name: `djr:${string}`]: CustomEvent<Message>;
  }
}

const connections = new Map<string, SharedConnection>();

let watching = false;

/** beforeunload is no sign: a download, or a user who stays, sends it too. */
function watchPage(): void {
  if (watching) return;
  watching = true;
  const all = (call: (connection: SharedConnection) => void) => () => connections.forEach(call);
  const wake = all((connection) => connection.wake());
  const sleep = all((connection) => connection.sleep());
  addEventListener('online', wake);
  addEventListener('pageshow', wake);
  addEventListener('pagehide', sleep);
  document.addEventListener('resume', wake);
  document.addEventListener('freeze', sleep);
  document.addEventListener('visibilitychange', () => document.hidden || wake());
}

/**
 * Connects the page to a stream, whose events are then fired on `window` as `djr:TYPE`.
 *
 * A second call for the same endpoint adds its callbacks to the connection that there is, so that each event
 * is fired once; of the other options, those of the first call hold.
 */
export function connect(options: ConnectOptions = {}): Connection {
  const settings = { ...defaults, ...options };
  const url = new URL(settings.endpoint!, document.baseURI).href;
  let connection = connections.get(url);
  if (connection?.up) queueMicrotask(() => connection!.listeners.has(settings) && safely(settings.onConnect));
  if (!connection) {
    connection = createConnection(url, settings);
    connections.set(url, connection);
  }
  connection.listeners.add(settings);
  watchPage();
  let closed = false;
  return {
    url,
    get readyState() {
      return closed || connections.get(url) !== connection ? 2 : connection.up ? 1 : 0;
    },
    get lastEventId() {
      return connection.lastId;
    },
    close() {
      closed = true;
      connection.listeners.delete(settings);
      if (connection.listeners.size || connections.get(url) !== connection) return;
      connections.delete(url);
      connection.sleep();
    },
  };
}

/**
 * Calls back for each event of a type.
 *
 * @returns a function that ends it.
 */
export function subscribe<D extends Detail = Detail, Type extends string = string>(
  type: Type,
  callback: (detail: Message<D, Type>, event: CustomEvent<Message<D, Type>>) => void,
): () => void {
  const listener = (event: Event) => callback((event as CustomEvent).detail, event as CustomEvent);
  addEventListener(`djr:${type}`, listener);
  return () => removeEventListener(`djr:${type}`, listener);
}

/**
 * Says that this user's page got (`delivered`) or showed (`read`) an event; the backend finds it in `djr.activity`.
 *
 * @param event - what `djr:TYPE` fired, or its detail, or the number that `djr.publish` returned
 * @returns whether it is an event of this user's own: others cannot be acknowledged
 * @throws (rejects) when the request fails: 401 for an anonymous client, 429 for too many, no network
 */
export function ack(event: CustomEvent<Detail> | Detail | number, status: AckStatus = 'read'): Promise<boolean> {
  if (typeof event === 'number') {
    const [connection] = connections.values();
    const source = connection?.source ?? { endpoint: new URL(defaults.endpoint!, document.baseURI).href, options: {} };
    return acknowledge(source, event, status);
  }
  const origin = originOf(event instanceof Event ? event.detail : event);
  if (!origin) return Promise.reject(new TypeError('djr.ack takes an event that djr has fired, or its number'));
  return acknowledge(origin.source, origin.id, status);
}

/** Closes all connections of this page, as on logout. */
export function close(): void {
  for (const connection of connections.values()) connection.sleep();
  connections.clear();
}

const djr: Djr = { connect, subscribe, ack, close };
export default djr;
