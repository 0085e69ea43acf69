import type { Detail } from '../event/event.js';

/** What a listener is called with for one frame. */
export interface FakeMessage {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
  readonly origin: string;
  readonly target: FakeEventSource;
}

type Listener = ((event: FakeMessage) => unknown) | { handleEvent(event: FakeMessage): unknown };

/**
 * An EventSource without a server, for tests of a page's code: what a test emits comes as a frame of djr. `install()` replaces the global
 * EventSource by it; djr's own client works with it, in jsdom and happy-dom.
 */
export class FakeEventSource {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  /** The streams that are not closed. */
  static readonly open: Set<FakeEventSource> = new Set();

  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSED = 2;
  readonly url: string;
  readonly withCredentials: boolean;
  readyState: 0 | 1 | 2 = 0;
  onopen: ((event: FakeMessage) => unknown) | null = null;
  onmessage: ((event: FakeMessage) => unknown) | null = null;
  onerror: ((event: FakeMessage) => unknown) | null = null;
  readonly #listeners = new Map<string, Set<Listener>>();
  #lastEventId = '';

  constructor(url: string | URL, init: { withCredentials?: boolean } = {}) {
    this.url = String(url);
    this.withCredentials = init.withCredentials === true;
    FakeEventSource.open.add(this);
    queueMicrotask(() => this.#connect());
  }

  /** Replaces the global EventSource. @returns a function that ends all streams and restores the global EventSource */
  static install(): () => void {
    const here = globalThis as { EventSource?: unknown };
    const before = Object.getOwnPropertyDescriptor(here, 'EventSource');
    Object.defineProperty(here, 'EventSource', { value: FakeEventSource, configurable: true, writable: true });
    return () => {
      for (const source of FakeEventSource.open) source.close();
      if (before) Object.defineProperty(here, 'EventSource', before);
      else delete here.EventSource;
    };
  }

  /** Lets an event come on every open stream. @param topic - the topic of a topic event */
  static emit(type: string, detail: Detail = {}, topic?: string): void {
    for (const source of FakeEventSource.open) source.emit(type, detail, topic);
  }

  /** Lets an event come on this stream. @throws TypeError if the stream is not open */
  emit(type: string, detail: Detail = {}, topic?: string): void {
    if (this.readyState !== 1) {
      throw new TypeError(`the stream must be open (it is ${this.readyState === 0 ? 'connecting' : 'closed'})`);
    }
    number += 1;
    this.#frame({ ...detail, ...(topic !== undefined && { ':topic': topic }), type }, `${number}-fake`);
  }

  /** Lets the connection be lost. An `EventSource` of a browser tries again by itself. */
  fail(): void {
    if (this.readyState === 2) return;
    this.readyState = 0;
    this.#fire('error', '');
    queueMicrotask(() => this.#connect());
  }

  addEventListener(type: string, listener: Listener | null): void {
    if (!listener) return;
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(listener));
  }

  removeEventListener(type: string, listener: Listener | null): void {
    if (listener) this.#listeners.get(type)?.delete(listener);
  }

  close(): void {
    this.readyState = 2;
    FakeEventSource.open.delete(this);
  }

  /** Answers as the server does: grants every topic that is asked for, and confirms a resume. There is no key, so tabs share nothing. */
  #connect(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.#fire('open', '');
    const query = new URL(this.url, 'http://localhost').searchParams;
    const topics = query.getAll('topic');
    const resuming = [...query.keys()].some((name) => /^(lastEventId|since(\..*)?)$/.test(name));
    const connected = { type: 'connected', ...(topics.length > 0 && { topics }) };
    this.#frame({ ...connected, ...(resuming && { resuming }) }, '0-fake');
    if (resuming) this.#frame({ type: 'connected' });
  }

  #frame(data: Detail, id = this.#lastEventId): void {
    this.#lastEventId = id;
    this.#fire('message', JSON.stringify(data));
  }

  /** A plain object and not an Event of the platform, as a simulated page has classes of its own. */
  #fire(type: 'open' | 'message' | 'error', data: string): void {
    const { origin } = new URL(this.url, 'http://localhost');
    const event = { type, data, lastEventId: this.#lastEventId, origin, target: this };
    this[`on${type}`]?.(event);
    for (const listener of this.#listeners.get(type) ?? []) {
      if (typeof listener === 'function') listener(event);
      else listener.handleEvent(event);
    }
  }
}

/** The id of the last event on any stream. Ids must differ, as a page takes the same id for the same event. */
let number = 0;
