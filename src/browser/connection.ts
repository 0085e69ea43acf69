import type { Detail } from '../event.js';
import { remember, type Source } from './ack.js';
import { documentHas, listen, safely } from './page.js';
import { mayTell } from './reset.js';
import { parseFrame, rowsOf } from './row-id.js';
import { createSeen } from './seen.js';
import { everySecond, openStream, type Stream } from './stream.js';
import { createTabs, type Host } from './tabs/tabs.js';
import type { ConnectOptions, Message, State } from './types.js';

/** Answers without a resume that was asked for, before the page is told that it may have missed something. */
const MAX_UNRESUMED = 3;
/** Milliseconds in which the reason must follow, where an answer has no resume. */
const REASON = 1000;
/** Milliseconds of silence after which a stream is begun anew when the network has changed. */
const CHANGED = 1000;

/** What the client says itself, and no event may. */
const OWN_TYPES = /^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence|djr:.*)$/s;

export interface SharedConnection {
  readonly source: Source;
  /** Those who called connect() for this endpoint. */
  readonly listeners: Set<ConnectOptions>;
  readonly up: boolean;
  readonly state: State;
  readonly lastId: string;
  /** Ends it for good. `all`: the app closes everything, as on a logout. */
  close(all: boolean): void;
}

const fire = (name: string, detail: Detail) => window.dispatchEvent(new CustomEvent(`djr:${name}`, { detail }));

/** The number of the event in a frame's id (`1042-…`); 0 when there is none. */
const eventOf = (id: string) => Number(id.split('-')[0]) || 0;

/**
 * One connection of a page: its own stream, or that of the tab which leads.
 *
 * Every tab opens a stream first, as only the server can tell whose it is: it names the user by a `key` in the
 * connected frame, and tabs share by endpoint and key. Thus a tab never hears what was sent to somebody else.
 *
 * @param endpoint - as the app has it; `name`: the same for all ways to write it
 */
export function createConnection(endpoint: string, name: string, options: ConnectOptions): SharedConnection {
  const source: Source = { endpoint, options };
  const listeners = new Set<ConnectOptions>();
  const seen = createSeen();
  let stream: Stream | undefined;
  let asleep = false;
  let up = false;
  let state: State = { state: 'connecting' };
  let user: string | undefined;
  /** Whether the stream as it is now has been answered, and what it was asked for: to resume, and from the page's own beginning. */
  let answered = false;
  let asksResume = false;
  let fromBeginning = false;
  /** Answers without the resume, and the last one: until the reason follows, no frame is believed. */
  let unresumed = 0;
  let unexplained: { data: Detail; id: string } | undefined;

  const each = (call: (listener: ConnectOptions) => void) => {
    for (const listener of [...listeners]) safely(call, listener);
  };

  const deliver = (data: Detail) => {
    const type = `${data.type ?? 'message'}`;
    each(({ debug }) => debug && console.log('djr', type, data));
    fire(type, data);
    for (const id of rowsOf(data)) fire(`${type}:${id}`, data);
    each(({ onMessage }) => onMessage?.(data as Message));
  };

  const setState = (next: State) => {
    if (next.state !== 'open' || state.state !== 'open') fire('state', { type: 'state', ...next });
    state = next;
    if (next.state === 'open') setUp();
  };

  const setUp = () => {
    if (up) return;
    up = true;
    deliver({ type: 'connected' });
    each(({ onConnect }) => onConnect?.());
  };

  const setDown = (error: Event) => {
    if (up) {
      up = false;
      fire('disconnected', { type: 'disconnected' });
      each(({ onDisconnect }) => onDisconnect?.());
    }
    each(({ onError }) => onError?.(error));
  };

  const handle = (data: Detail, id: string, repeat: boolean) => {
    const event = eventOf(id);
    const reset = !event && data.type === 'reset';
    if (repeat || (event && OWN_TYPES.test(`${data.type}`))) return;
    if (event) remember(data, event, source);
    if (reset) {
      seen.clear();
      if (fromBeginning && !mayTell(name, `${data.reason}`)) return;
    }
    deliver(data);
    if (reset) each(({ onReset }) => onReset?.(`${data.reason}`));
  };

  const host: Host = {
    lastId: options.lastEventId ?? '',
    seen,
    open() {
      stream?.close();
      asleep = false;
      stream = openStream(
        address,
        { withCredentials: !!options.withCredentials },
        {
          frame,
          error: setDown,
          state(next) {
            tabs.state(next);
            setState(next);
          },
        },
      );
    },
    close() {
      stream?.close();
      stream = undefined;
    },
    look: (silence) => stream?.look(silence),
    show: (text, id, repeat) => handle(parseFrame(text), id, repeat),
    state(next) {
      setState(next);
      if (next.state === 'waiting') setDown(new Event('error'));
    },
  };

  // Tabs that were loaded before an upgrade may say other things: the number is that of what is said.
  const tabs = createTabs(host, options.shareTabs === false ? undefined : `djr 3 ${name} ${options.shareKey ?? ''}`);

  const address = async () => {
    const url = new URL(endpoint);
    const { token } = options;
    const value = typeof token === 'function' ? await token() : token;
    answered = false;
    unexplained = undefined;
    fromBeginning = !host.lastId || host.lastId === options.lastEventId;
    asksResume = !!(host.lastId || options.since);
    const { searchParams } = url;
    // Frames with a name of their own are not heard here.
    searchParams.delete('named');
    if (options.shareTabs !== false) searchParams.set('shareKey', '1');
    searchParams.set('heartbeat', '1');
    if (value) searchParams.set('token', value);
    if (host.lastId) searchParams.set('lastEventId', host.lastId);
    else if (options.since) searchParams.set('since', options.since);
    return url.href;
  };

  const frame = (text: string, id: string): false | number | undefined => {
    const event = eventOf(id);
    let data: Detail;
    try {
      data = parseFrame(text);
    } catch (error) {
      host.lastId = id || host.lastId;
      safely(() => {
        throw error;
      });
      return;
    }
    if (!event && data.type === 'connected') return connected(data, id);
    // What would follow without the resume leaves a gap.
    if (unexplained && (event || data.type !== 'reset')) return false;
    if (unexplained) accept(unexplained.data, unexplained.id);
    host.lastId = id || host.lastId;
    if (!event && data.type === 'heartbeat') {
      fromBeginning = false;
      stream!.pace(undefined, data.retry as number | undefined);
      tabs.alive();
      return;
    }
    const repeat = event > 0 && !seen.add(event);
    tabs.frame(text, id, event, repeat);
    safely(handle, data, id, repeat);
    return;
  };

  /** The server says it when the stream stands, and, where that begins with a resume, once more at the resume's end. */
  const connected = (data: Detail, id: string): number | undefined => {
    const missing = !answered && asksResume && data.resuming !== true;
    fromBeginning &&= !answered;
    answered = true;
    stream!.pace(data.heartbeat as number | undefined, data.retry as number | undefined);
    if (missing && ++unresumed < MAX_UNRESUMED) {
      unexplained = { data, id };
      return REASON;
    }
    accept(data, id);
    if (missing) safely(handle, { type: 'reset', reason: 'the server did not resume the stream' }, '', false);
    return;
  };

  /** The stream does what it was asked for, or there is no more to be had. */
  const accept = (data: Detail, id: string) => {
    const key = `${data.key ?? ''}`;
    unexplained = undefined;
    unresumed = 0;
    host.lastId = id || host.lastId;
    // The part before the dot is the user, the rest what else tells this user's streams apart.
    const otherUser = user !== undefined && user !== key.split('.')[0];
    user = key.split('.')[0];
    tabs.connected(key, data.resuming === true, Number(data.heartbeat) || 0);
    setState({ state: 'open' });
    // The page shows what somebody else was entitled to.
    if (otherUser) safely(handle, { type: 'reset', reason: 'user' }, '', false);
  };

  const sleep = () => {
    tabs.leave();
    host.close();
    asleep = true;
    up = false;
  };
  const look = (silence?: number) => {
    if (asleep) host.open();
    else tabs.look(silence);
  };
  const ending = new AbortController();
  const { signal } = ending;
  listen('online', () => look(CHANGED), signal);
  listen('pageshow', look, signal);
  listen('resume', look, signal);
  // Not everywhere: a phone that goes from one network to another may never be offline.
  const { connection: network } = navigator as { connection?: EventTarget };
  network?.addEventListener?.('change', () => look(CHANGED), { signal });
  listen('visibilitychange', () => documentHas<boolean>('hidden') || look(), signal);
  listen('pagehide', sleep, signal);
  listen('freeze', sleep, signal);
  host.open();
  const stopTicking = everySecond((jumped) => {
    stream?.tick(jumped);
    tabs.tick();
  });

  return {
    source,
    listeners,
    get up() {
      return up;
    },
    get state() {
      return state;
    },
    get lastId() {
      return host.lastId;
    },
    close(all) {
      stopTicking();
      ending.abort();
      tabs.leave(all);
      host.close();
      up = false;
      setState({ state: 'closed' });
    },
  };
}
