import { mock } from 'node:test';
import type { ExecutionContext } from 'ava';

/** Milliseconds since 1970 at which the simulated page was loaded. */
export const LOADED = 1_700_000_000_000;

/** An EventSource whose server is the test. */
export class Source {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static all: Source[] = [];
  readonly url: URL;
  readyState = Source.CONNECTING;
  onmessage: ((event: { data: string; lastEventId: string }) => void) | undefined;
  onerror: ((event: Event) => void) | undefined;
  #lastEventId = '';

  constructor(
    url: string,
    readonly init?: EventSourceInit,
  ) {
    this.url = new URL(url);
    Source.all.push(this);
  }

  /** A frame with data; one without an id shows the id of the one before it. */
  frame(data: object | string, id?: string): void {
    this.readyState = Source.OPEN;
    this.#lastEventId = id ?? this.#lastEventId;
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.onmessage?.({ data: text, lastEventId: this.#lastEventId });
  }

  /** It is cut off, or, with an answer that is no stream, closed for good. */
  fail(refused = false): void {
    this.readyState = refused ? Source.CLOSED : Source.CONNECTING;
    this.onerror?.(new Event('error'));
  }

  close(): void {
    this.readyState = Source.CLOSED;
  }
}

export interface SimulatedPage {
  /** All streams that the page has opened. */
  readonly sources: Source[];
  /** What was fired at the window, but for `state`: each with its detail. */
  readonly fired: [name: string, detail: Record<string, unknown>][];
  readonly states: string[];
  readonly errors: unknown[];
  readonly session: Map<string, string>;
  hidden: boolean;
  /** How it was loaded. */
  load: 'navigate' | 'reload';
  /** Something happens to the window. */
  happen(name: string): void;
  /** So many milliseconds pass, with all that is due meanwhile. */
  pass(milliseconds: number): Promise<void>;
  /** The stream that is open now. */
  readonly source: Source;
}

/** All that is under way without a timer. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
};

/** Makes this process a page with a clock of its own, until the test ends: tests of a file run one after the other. */
export function simulatePage(t: Pick<ExecutionContext, 'teardown'>): SimulatedPage {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: LOADED });
  const before = new Map<string, PropertyDescriptor | undefined>();
  const define = (name: string, value: unknown) => {
    before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  };
  const target = new EventTarget();
  const fired: SimulatedPage['fired'] = [];
  const states: string[] = [];
  Source.all = [];
  const page: SimulatedPage = {
    sources: Source.all,
    fired,
    states,
    errors: [],
    session: new Map(),
    hidden: false,
    load: 'navigate',
    happen: (name) => void target.dispatchEvent(new Event(name)),
    async pass(milliseconds) {
      await settle();
      for (let left = milliseconds; left > 0; left -= 100) {
        mock.timers.tick(Math.min(left, 100));
        await settle();
      }
    },
    get source() {
      const open = Source.all.filter(({ readyState }) => readyState !== Source.CLOSED);
      if (open.length !== 1) throw new Error(`There must be one open stream (there are ${open.length}).`);
      return open[0]!;
    },
  };
  class Document {
    get hidden() {
      return page.hidden;
    }
    get baseURI() {
      return 'http://localhost/page';
    }
  }
  define('window', globalThis);
  define('self', globalThis);
  define('Document', Document);
  define('document', new Document());
  define('location', new URL('http://localhost/page?a=1'));
  define('navigator', {});
  define('EventSource', Source);
  define(
    'ErrorEvent',
    class extends Event {
      readonly error: unknown;
      constructor(type: string, { error }: { error?: unknown } = {}) {
        super(type);
        this.error = error;
      }
    },
  );
  define('reportError', (error: unknown) => page.errors.push(error));
  define('sessionStorage', {
    getItem: (name: string) => page.session.get(name) ?? null,
    setItem: (name: string, value: string) => void page.session.set(name, value),
  });
  for (const name of ['addEventListener', 'removeEventListener'] as const) define(name, target[name].bind(target));
  define('dispatchEvent', (event: CustomEvent<Record<string, unknown>>) => {
    if (event.type === 'djr:state') states.push(String(event.detail.state));
    else fired.push([event.type, event.detail]);
    return target.dispatchEvent(event);
  });
  const navigation = mock.method(performance, 'getEntriesByType', () => [{ type: page.load }] as never);
  t.teardown(() => {
    navigation.mock.restore();
    mock.timers.reset();
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  });
  return page;
}
