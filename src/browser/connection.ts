import type { Detail } from '../event.js';
import { remember, type Source } from './ack.js';
import type { ConnectOptions, Message } from './client.js';
import { type Group, joinGroup, type Said } from './group.js';
import { parseFrame, rowsOf } from './row-id.js';
import { createSeen } from './seen.js';
import { openStream, type Stream } from './stream.js';

/** How long a tab keeps its own stream beside the leader's, so that instances of different delay leave no gap. */
const OVERLAP = 3000;

export interface SharedConnection {
  readonly source: Source;
  /** Those who called connect() for this endpoint. */
  readonly listeners: Set<ConnectOptions>;
  readonly up: boolean;
  readonly lastId: string;
  /** The page is shown, or online, again. */
  wake(): void;
  /** Gives up stream and lock, until it is woken: the page is left, frozen or put away. */
  sleep(): void;
}

/** An error in the page's code must not keep an event from anybody else. */
export function safely<Arguments extends unknown[]>(
  callback: ((...values: Arguments) => void) | undefined,
  ...values: Arguments
): void {
  try {
    callback?.(...values);
  } catch (error) {
    (self.reportError ?? console.error)(error);
  }
}

const fire = (name: string, detail: Detail) => window.dispatchEvent(new CustomEvent(`djr:${name}`, { detail }));

/** The number of the event in a frame's id (`1042-…`); 0 when there is none. */
const eventOf = (id: string) => Number(id.split('-')[0]) || 0;

/**
 * One connection of a page: its own stream, or that of the tab which leads.
 *
 * Every tab opens a stream first, as only the server can tell whose it is: it names the user by a `key` in the
 * connected frame, and tabs share by endpoint and key. Thus a tab never hears what was sent to somebody else.
 */
export function createConnection(endpoint: string, options: ConnectOptions): SharedConnection {
  const source: Source = { endpoint, options };
  const listeners = new Set<ConnectOptions>();
  const seen = createSeen();
  let stream: Stream | undefined;
  let group: Group | undefined;
  let key: string | undefined;
  /** Whether the key of the stream as it is now is known: after a cut it could be another user's. */
  let verified = false;
  let leading = false;
  /** Whether this tab has what it came for: before that it neither leads nor follows, but catches up by itself. */
  let level = false;
  /** Its turn to lead came before it was level. */
  let waiting = false;
  let up = false;
  let lastId = options.lastEventId ?? '';
  let welcome: { lastId: string; seen: number[] } | undefined;
  let overlap: ReturnType<typeof setTimeout> | undefined;
  /** Events of this tab's own stream, in the overlap, that the leader did not pass on: it is still catching up. */
  const ahead = new Set<number>();

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
    if (repeat) return;
    const event = eventOf(id);
    const reset = !event && data.type === 'reset';
    if (event) remember(data, event, source);
    if (reset) seen.clear();
    deliver(data);
    if (reset) each(({ onReset }) => onReset?.(`${data.reason}`));
  };

  const address = async () => {
    const url = new URL(endpoint);
    const token = typeof options.token === 'function' ? await options.token() : options.token;
    if (options.shareTabs !== false) url.searchParams.set('shareKey', '1');
    if (token) url.searchParams.set('token', token);
    if (lastId) url.searchParams.set('lastEventId', lastId);
    else if (options.since) url.searchParams.set('since', options.since);
    return url.href;
  };

  const frame = (text: string, id: string) => {
    const event = eventOf(id);
    const repeat = event > 0 && !seen.add(event);
    if (event && !repeat && overlap) ahead.add(event);
    lastId = id || lastId;
    safely(() => {
      const data = parseFrame(text);
      if (!event && data.type === 'connected') return connected(`${data.key ?? ''}`, data.resuming === true);
      if (leading && verified) group?.post('frame', text, id, repeat);
      handle(data, id, repeat);
    });
  };

  const error = (event: Event) => {
    verified = false;
    level &&= leading;
    stopOverlap();
    if (leading) group?.post('down');
    setDown(event);
  };

  const open = () => {
    closeStream();
    stream = openStream(address, { withCredentials: !!options.withCredentials }, { frame, error });
  };

  const closeStream = () => {
    verified = false;
    stream?.close();
    stream = undefined;
  };

  const startOverlap = () => {
    if (overlap || !level) return;
    ahead.clear();
    overlap = setTimeout(follow, OVERLAP);
  };

  const stopOverlap = () => {
    clearTimeout(overlap);
    overlap = undefined;
  };

  const leave = () => {
    stopOverlap();
    group?.leave();
    group = welcome = undefined;
    leading = waiting = false;
  };

  /** The server says it when the stream stands, and, where that begins with a resume, once more at the resume's end. */
  const connected = (newKey: string, resuming: boolean) => {
    // The part before the dot is the user, the rest what else tells this user's streams apart.
    const otherUser = key !== undefined && key.split('.')[0] !== newKey.split('.')[0];
    if (newKey !== key) leave();
    key = newKey;
    verified = true;
    // The resume of one that leads is that of its tabs, too.
    level = leading || !resuming;
    if (!group && key && options.shareTabs !== false) {
      // Tabs that were loaded before an upgrade may say other things: the number is that of what is said.
      group = joinGroup(`djr 2 ${endpoint} ${key} ${options.shareKey ?? ''}`, elected, heard);
    }
    if (waiting && level) elected();
    else if (leading) group?.post('welcome', lastId, seen.all());
    else group?.post('hello');
    setUp();
    // The page shows what somebody else was entitled to.
    if (otherUser) handle({ type: 'reset', reason: 'user' }, '', false);
  };

  const elected = () => {
    waiting = !!stream && !level;
    if (waiting) return;
    leading = true;
    stopOverlap();
    if (welcome || !stream) {
      // From where the last leader was, even when this tab's own stream is further: other tabs may not have it all.
      lastId = welcome?.lastId || lastId;
      open();
    } else if (verified) group?.post('welcome', lastId, seen.all());
  };

  const follow = () => {
    overlap = undefined;
    if (ahead.size) return startOverlap();
    closeStream();
    for (const event of welcome!.seen) seen.add(event);
    lastId = welcome!.lastId;
    setUp();
  };

  const heard = (message: Said) => {
    if (leading) {
      if (message[0] === 'hello' && verified) group?.post('welcome', lastId, seen.all());
      if (message[0] === 'hurry') stream?.hurry();
      return;
    }
    if (message[0] === 'welcome') {
      welcome = { lastId: message[1], seen: message[2] };
      if (!stream) setUp();
      else if (verified) startOverlap();
    } else if (message[0] === 'down') {
      stopOverlap();
      if (!stream) setDown(new Event('error'));
    } else if (message[0] === 'frame' && welcome) {
      const [, text, id, repeat] = message;
      const event = eventOf(id);
      ahead.delete(event);
      welcome.lastId = id || welcome.lastId;
      if (!stream) lastId = welcome.lastId;
      // Beside a stream of its own, only what is known by its number is taken from both.
      else if (repeat || !event) return;
      handle(parseFrame(text), id, event > 0 && !seen.add(event));
    }
  };

  open();
  return {
    source,
    listeners,
    get up() {
      return up;
    },
    get lastId() {
      return lastId;
    },
    wake() {
      if (stream) stream.hurry();
      else if (group) group.post('hurry');
      else open();
    },
    sleep() {
      leave();
      closeStream();
      up = false;
    },
  };
}
