import type { Detail, EventMap, EventsOf } from '../event/event.js';
import { acknowledge, originOf } from './ack.js';
import { createAwaited } from './awaited.js';
import { createConnection, type SharedConnection } from './connection.js';
import { loadTopics } from './load.js';
import { addressOf, safely } from './page.js';
import { createMember } from './room.js';
import type { Member } from './topics/contract.js';
import type {
  AckStatus,
  Connection,
  ConnectOptions,
  Djr,
  DjrEvent,
  JoinOptions,
  Message,
  MessageOf,
  Presence,
  Room,
  SeenOptions,
  State,
} from './types.js';

export type {
  AckStatus,
  Connection,
  ConnectOptions,
  Detail,
  Djr,
  DjrEvent,
  EventMap,
  EventsOf,
  JoinOptions,
  Message,
  MessageOf,
  Presence,
  Room,
  SeenOptions,
  State,
};

/** The client, of which a page has one, whatever loads it and however often: the script, a module, two bundles, a hot reload. */
interface Client extends Djr {
  /** Options for calls that leave them out; the script tag sets them. */
  readonly defaults: ConnectOptions;
  /** Whether a script tag has set the defaults: a page that swaps its content may run the script again. */
  scripted?: boolean;
}

/**
 * The property of `globalThis` by which all copies of the code find the client; the number is the version of {@link Client}. An element
 * of the page can hide a property with a name, but not one with a symbol.
 */
const KEY = Symbol.for('djr 1');

function createClient(): Client {
  const connections = new Map<string, SharedConnection>();
  const defaults: ConnectOptions = { endpoint: '/realtime/sse/' };
  /** Topics that were joined before there is a connection: the first connection takes them. */
  let early: Member[] = [];
  /** Calls of `seen` before there is a connection: the first connection takes them, too. */
  let awaited = createAwaited();
  return {
    defaults,
    connect(options = {}) {
      const settings = { ...defaults, ...options };
      const address = addressOf(settings.endpoint!);
      if (settings.token && !options.endpoint && address.origin !== location.origin) {
        throw new TypeError(
          `djr.connect must be given the endpoint together with a token for another origin (it is ${address.href}, from the page)`,
        );
      }
      // `/sse` and `/sse/` are the same endpoint.
      const name = address.origin + address.pathname.replace(/\/*$/, '/') + address.search;
      let connection = connections.get(name);
      if (!connection) {
        connection = createConnection(address.href, name, settings, awaited);
        awaited = createAwaited();
        connections.set(name, connection);
        early.forEach(connection.join);
        early = [];
      }
      const { told } = connection;
      if (told.up) queueMicrotask(() => told.listeners.has(settings) && safely(settings.onConnect));
      told.listeners.add(settings);
      let closed = false;
      const gone = () => closed || connections.get(name) !== connection;
      return {
        url: address.href,
        get readyState() {
          return gone() ? 2 : told.state.state === 'open' ? 1 : 0;
        },
        get state(): State {
          return gone() ? { state: 'closed' } : told.state;
        },
        get lastEventId() {
          return connection.lastId;
        },
        join(topic, options) {
          const member = createMember(topic, options);
          if (gone()) member.room.leave();
          else connection.join(member);
          return member.room;
        },
        seen: (id, options) => connection.seen(id, options),
        close() {
          const last = !gone() && told.listeners.size === 1;
          closed = true;
          told.listeners.delete(settings);
          if (!last) return;
          connections.delete(name);
          connection.close(false);
        },
      };
    },
    join(topic, options) {
      const member = createMember(topic, options);
      const [first] = connections.values();
      if (first) first.join(member);
      else {
        early.push(member);
        void loadTopics();
      }
      return member.room as never;
    },
    seen(id, options) {
      const [first] = connections.values();
      return (first ?? awaited).seen(id, options);
    },
    subscribe(type, callback) {
      const listener = (event: Event) => callback((event as CustomEvent).detail, event as never);
      addEventListener(`djr:${type}`, listener);
      return () => removeEventListener(`djr:${type}`, listener);
    },
    ack(event, status = 'read') {
      if (typeof event === 'number') {
        const [connection] = connections.values();
        const source = connection?.source ?? { endpoint: addressOf(defaults.endpoint!).href, options: {} };
        return acknowledge(source, event, status);
      }
      const origin = originOf(event instanceof Event ? event.detail : event);
      if (!origin) return Promise.reject(new TypeError('djr.ack takes an event that djr has fired, or its number'));
      return acknowledge(origin.source, origin.id, status);
    },
    close() {
      const all = [...connections.values()];
      connections.clear();
      for (const connection of all) connection.close(true);
    },
  };
}

// Frameworks import this module on the server to render pages, so importing it does nothing but create the object.
const page = globalThis as unknown as { [KEY]?: Client };
page[KEY] ??= createClient();

/** The page's client, for the script (script.ts). */
export const client: Client = page[KEY];

/**
 * Your event types, for all that this module exports and for `window.djr`:
 * `declare module 'djr/browser' { interface Register { events: Events } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: an app adds to it
export interface Register {}

/** The events that an app has registered; without that any type, with any detail. */
export type Registered = Register extends { events: infer Events extends EventsOf<Events> } ? Events : EventMap;

const djr = client as unknown as Djr<Registered>;
export default djr;

/** See {@link Djr.connect}. */
export const connect: Djr<Registered>['connect'] = djr.connect;

/** See {@link Djr.subscribe}. */
export const subscribe: Djr<Registered>['subscribe'] = djr.subscribe;

/** See {@link Djr.join}. */
export const join: Djr<Registered>['join'] = djr.join;

/** See {@link Djr.seen}. */
export const seen: Djr['seen'] = djr.seen;

/** See {@link Djr.ack}. */
export const ack: Djr['ack'] = djr.ack;

/** See {@link Djr.close}. */
export const close: Djr['close'] = djr.close;

declare global {
  interface Window {
    /** Set by the script `djr.js`. */
    djr: Djr<Registered>;
    /** The same object, for pages written for DjangoRealtime. */
    DjangoRealtime: Djr<Registered>;
    /** The connection that the script made by itself. */
    djangoRealtimeConnection?: Connection<Registered>;
  }
  interface WindowEventMap {
    [name: `djr:${string}`]: DjrEvent;
  }
}
