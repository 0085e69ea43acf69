import type { Detail } from '../event/event.js';
import { rowsOf } from './frame.js';
import { safely } from './page.js';
import type { ConnectOptions, Message, State } from './types.js';

/** What a page is told: by DOM events, and by the callbacks of those who called connect(). */
export interface Told {
  readonly listeners: Set<ConnectOptions>;
  readonly up: boolean;
  readonly state: State;
  /** Fires a DOM event of the client's own. */
  fire(type: string, detail: Detail): void;
  /** An event, or a word of the client's own that `onMessage` gets, too. */
  deliver(data: Detail): void;
  reset(data: Detail): void;
  /** The stream does this now; where it stands again, the page is connected. */
  become(next: State): void;
  /** An attempt has failed; where the page was connected, it is no more. */
  failed(error: Event): void;
  /** The page is put away: it is told `connected` again when it comes back. */
  sleep(): void;
}

export function createTold(): Told {
  const listeners = new Set<ConnectOptions>();
  let up = false;
  let state: State = { state: 'connecting' };

  const each = (call: (listener: ConnectOptions) => void) => {
    for (const listener of [...listeners]) safely(call, listener);
  };

  const fire = (name: string, detail: Detail) => {
    window.dispatchEvent(new CustomEvent(`djr:${name}`, { detail }));
  };

  const deliver = (data: Detail) => {
    const type = `${data.type ?? 'message'}`;
    each(({ debug }) => debug && console.log('djr', type, data));
    fire(type, data);
    for (const id of rowsOf(data)) fire(`${type}:${id}`, data);
    each(({ onMessage }) => onMessage?.(data as Message));
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
