import type { Detail } from '../event/event.js';
import { eventOf, rowsOf, timeOf } from './frame.js';
import { safely } from './page.js';
import type { ConnectOptions, DjrEvent, Message, State } from './types.js';

/** Tells the page what happens, by DOM events and by the callbacks of each call of connect(). */
export interface Told {
  readonly listeners: Set<ConnectOptions>;
  readonly up: boolean;
  readonly state: State;
  /** Fires a DOM event of the client's own. */
  fire(type: string, detail: Detail): void;
  /** Fires an event, with the id of its frame; or something that the client itself says and that `onMessage` gets as well. */
  deliver(data: Detail, id?: string): DjrEvent;
  reset(data: Detail): void;
  /** Sets the state of the stream. When it becomes open, the page is told `connected`. */
  become(next: State): void;
  /** An attempt has failed. If the page was connected, it is told `disconnected`. */
  failed(error: Event): void;
  /** The page is frozen or left: when it is shown again, it is told `connected` again. */
  sleep(): void;
}

/** Makes a DOM event. Its `detail` is what was published; id and time are properties of the event itself. */
export function domEvent(detail: Detail, id = '', name = `${detail.type ?? 'message'}`): DjrEvent {
  const known = id && { id: eventOf(id), createdAt: timeOf(id) };
  return Object.assign(new CustomEvent(`djr:${name}`, { detail: detail as Message }), known);
}

export function createTold(): Told {
  const listeners = new Set<ConnectOptions>();
  let up = false;
  let state: State = { state: 'connecting' };

  const each = (call: (listener: ConnectOptions) => void) => {
    for (const listener of [...listeners]) safely(call, listener);
  };

  const fire = (name: string, detail: Detail, id?: string) => {
    const event = domEvent(detail, id, name);
    window.dispatchEvent(event);
    return event;
  };

  const deliver = (data: Detail, id?: string) => {
    const type = `${data.type ?? 'message'}`;
    each(({ debug }) => debug && console.log('djr', type, data));
    const event = fire(type, data, id);
    for (const row of rowsOf(data)) fire(`${type}:${row}`, data, id);
    each(({ onMessage }) => onMessage?.(event.detail, event));
    return event;
  };

  return {
    listeners,
    get up() {
      return up;
    },
    get state() {
      return state;
    },
    fire,
    deliver,
    reset(data) {
      deliver(data);
      each(({ onReset }) => onReset?.(`${data.reason}`));
    },
    become(next) {
      if (next.state !== 'open' || state.state !== 'open') fire('state', { type: 'state', ...next });
      state = next;
      if (next.state !== 'open' || up) return;
      up = true;
      deliver({ type: 'connected' });
      each(({ onConnect }) => onConnect?.());
    },
    failed(error) {
      if (up) {
        up = false;
        fire('disconnected', { type: 'disconnected', ...(state.reason && { reason: state.reason }) });
        each(({ onDisconnect }) => onDisconnect?.());
      }
      each(({ onError }) => onError?.(error));
    },
    sleep() {
      up = false;
    },
  };
}
