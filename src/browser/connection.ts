import type { Detail } from '../event/event.js';
import { remember, type Source } from './ack.js';
import { askFor, grantOf } from './asking.js';
import { createLines, type Line } from './lines.js';
import { documentHas, listen, safely } from './page.js';
import { mayTell } from './reset.js';
import { type Grant, presenceAfter, type Rooms, startOf } from './rooms.js';
import { parseFrame, rowsOf } from './row-id.js';
import { createSeen } from './seen.js';
import { everySecond } from './stream.js';
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
  readonly rooms: Rooms;
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
export function createConnection(
  endpoint: string,
  name: string,
  options: ConnectOptions,
  rooms: Rooms,
): SharedConnection {
  const source: Source = { endpoint, options };
  const listeners = new Set<ConnectOptions>();
  const seen = createSeen();
  /** Events of topics that this page has shown: its stream may carry more than that for other tabs. */
  const shown = createSeen();
  /** Topics that the app has written into the address itself. */
  const fixed = new URL(endpoint).searchParams.getAll('topic');
  let asleep = false;
  let up = false;
  let state: State = { state: 'connecting' };
  let user: string | undefined;
  let fromBeginning = false;
  /** Answers without the resume, one after the other. */
  let unresumed = 0;
  /** Why the server has ended the stream. */
  let farewell: string | undefined;
  let grant: Grant | undefined;

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
      fire('disconnected', { type: 'disconnected', ...(state.reason && { reason: state.reason }) });
      each(({ onDisconnect }) => onDisconnect?.());
    }
    each(({ onError }) => onError?.(error));
  };

  const handle = (data: Detail, id: string, repeat: boolean) => {
    const event = eventOf(id);
    const reset = !event && data.type === 'reset';
    if (event && OWN_TYPES.test(`${data.type}`)) return;
    const topic = data[event ? ':topic' : 'topic'];
    if (typeof topic === 'string') {
      if (event) return handleEventOf(topic, data, event);
      if (data.type === 'left') {
        grant?.topics.delete(topic);
        return rooms.left(topic, `${data.reason}`);
      }
      if (data.type === 'presence') {
        const now = presenceAfter(grant?.present.get(topic), data);
        grant?.present.set(topic, now);
        return rooms.presence(topic, now);
      }
    }
    if (repeat) return;
    if (event) remember(data, event, source);
    if (reset) {
      seen.clear();
      shown.clear();
      if (fromBeginning && !mayTell(name, `${data.reason}`)) return;
    }
    deliver(data);
    if (reset) each(({ onReset }) => onReset?.(`${data.reason}`));
  };

  const handleEventOf = (topic: string, data: Detail, event: number) => {
    if (!fixed.includes(topic) && !rooms.hears(topic)) return;
    const fresh = shown.add(event);
    remember(data, event, source);
    if (fresh) deliver(data);
    rooms.event(data, event, fresh);
  };

  const host: Host = {
    lastId: options.lastEventId ?? '',
    seen,
    open() {
      asleep = false;
      lines.open();
    },
    close: () => lines.close(),
    look: (silence) => lines.look(silence),
    show: (text, id, repeat) => handle(parseFrame(text), id, repeat),
    state(next) {
      setState(next);
      if (next.state === 'waiting') setDown(new Event('error'));
    },
    wants: rooms.wants,
    changed: () => lines.change(),
    granted(next) {
      grant = next;
      rooms.granted(next);
    },
  };

  // Tabs that were loaded before an upgrade may say other things: the number is that of what is said.
  const tabs = createTabs(host, options.shareTabs === false ? undefined : `djr 4 ${name} ${options.shareKey ?? ''}`);

  const address = async (line: Line) => {
    // What a page joins in the same turn goes with it.
    await undefined;
    const url = new URL(endpoint);
    const { token } = options;
    const value = typeof token === 'function' ? await token() : token;
    fromBeginning = !host.lastId || host.lastId === options.lastEventId;
    line.asksResume = !!(host.lastId || options.since);
    const { searchParams } = url;
    // Frames with a name of their own are not heard here.
    searchParams.delete('named');
    line.asked = tabs.union();
    if (options.shareTabs !== false || line.asked.size) searchParams.set('shareKey', '1');
    searchParams.set('heartbeat', '1');
    if (value) searchParams.set('token', value);
    if (host.lastId) searchParams.set('lastEventId', host.lastId);
    else if (options.since) searchParams.set('since', options.since);
    askFor(url, line);
    return url.href;
  };

  const frame = (line: Line, text: string, id: string): false | number | undefined => {
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
    if (!event && data.type === 'connected') return connected(line, data, id);
    const { unexplained } = line;
    // What would follow without the resume leaves a gap.
    if (unexplained && (event || data.type !== 'reset')) return false;
    if (unexplained) accept(line, unexplained.data, unexplained.id);
    host.lastId = id || host.lastId;
    if (!event && data.type === 'heartbeat') {
      fromBeginning = false;
      line.stream.pace(undefined, data.retry as number | undefined);
      tabs.alive();
      return;
    }
    if (!event && data.type === 'disconnected') {
      farewell = `${data.reason ?? 'disconnected'}`;
      return false;
    }
    if (!event && data.type === 'left') line.asked.delete(`${data.topic}`);
    const repeat = event > 0 && !seen.add(event);
    tabs.frame(text, id, event, repeat);
    safely(handle, data, id, repeat);
    return;
  };

  /** The server says it when the stream stands, and, where that begins with a resume, once more at the resume's end. */
  const connected = (line: Line, data: Detail, id: string): number | undefined => {
    const first = !line.answered;
    const heard = (data.topics ?? []) as string[];
    const asksResume = line.asksResume || heard.some((topic) => line.asked.get(topic)?.at(-1)?.startsWith(startOf('')));
    const missing = first && asksResume && data.resuming !== true;
    fromBeginning &&= first;
    line.answered = true;
    line.stream.pace(data.heartbeat as number | undefined, data.retry as number | undefined);
    if (missing && ++unresumed < MAX_UNRESUMED) {
      line.unexplained = { data, id };
      return REASON;
    }
    accept(line, data, id);
    if (missing) safely(handle, { type: 'reset', reason: 'the server did not resume the stream' }, '', false);
    return;
  };

  /** The stream does what it was asked for, or there is no more to be had. */
  const accept = (line: Line, data: Detail, id: string) => {
    const key = `${data.key ?? ''}`;
    line.unexplained = undefined;
    unresumed = 0;
    farewell = undefined;
    host.lastId = id || host.lastId;
    // The part before the dot is the user, the rest what else tells this user's streams apart.
    const otherUser = user !== undefined && user !== key.split('.')[0];
    user = key.split('.')[0];
    lines.stand(line);
    tabs.connected(key, data.resuming === true, Number(data.heartbeat) || 0);
    setState({ state: 'open' });
    grant = grantOf(line, data, grant);
    tabs.granted(grant);
    rooms.granted(grant);
    // The page shows what somebody else was entitled to.
    if (otherUser) safely(handle, { type: 'reset', reason: 'user' }, '', false);
  };

  const lines = createLines(
    {
      address,
      frame,
      error: setDown,
      state(next) {
        const told = next.state === 'waiting' && farewell ? { ...next, reason: farewell } : next;
        tabs.state(told);
        setState(told);
      },
      differs(asked) {
        const union = tabs.union();
        if (union.size !== asked.size) return true;
        return [...union].some(([topic, texts]) => !texts.every((text) => asked.get(topic)?.includes(text)));
      },
    },
    { withCredentials: !!options.withCredentials },
  );
  rooms.host = {
    again: (topic) => lines.current?.asked.delete(topic),
    changed: () => tabs.changed(),
    fire,
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
    lines.tick(jumped);
    tabs.tick();
    rooms.tick();
  });

  return {
    source,
    listeners,
    rooms,
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
      rooms.close();
      up = false;
      setState({ state: 'closed' });
    },
  };
}
