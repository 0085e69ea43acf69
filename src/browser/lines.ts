import type { Detail } from '../event/event.js';
import type { Asked } from './rooms.js';
import { openStream, type Stream } from './stream.js';
import type { State } from './types.js';

/** A stream of this page, and what was asked of its present attempt. */
export interface Line {
  stream: Stream;
  asked: Asked;
  /** Topics for which there was no room. */
  over: string[];
  /** Whether the attempt has been answered, and whether that was a resume, where one was asked for. */
  answered: boolean;
  asksResume: boolean;
  /** An answer without the resume: until the reason follows, no frame is believed. */
  unexplained: { data: Detail; id: string } | undefined;
  /** Whether it does what it was asked for. */
  stands: boolean;
  failures: number;
}

export interface LinesHost {
  address(line: Line): Promise<string>;
  frame(line: Line, text: string, id: string): false | number | undefined;
  error(error: Event): void;
  state(state: State): void;
  /** Whether the page, or the tabs that it leads, want other topics than these. */
  differs(asked: Asked): boolean;
}

/** The one stream of a page, and at times the one that is to take its place. */
export interface Lines {
  readonly current: Line | undefined;
  /** Begins anew, in place of what stands. */
  open(): void;
  /** Other topics may be wanted: what stands is kept until a stream with them stands. */
  change(): void;
  /** This one stands: the other is closed. */
  stand(line: Line): void;
  look(silence?: number): void;
  tick(jumped: boolean): void;
  close(): void;
}

/** Milliseconds in which what a page joins and leaves is one change. */
const MOMENT = 20;
/** Changes that are made at once, and milliseconds until there may be one more. */
const BURST = 5;
const REFILL = 1000;
/** Failures of the stream that is to come, before the one that stands makes room: the browser may have no connection left. */
const MAX_FAILURES = 3;

export function createLines(host: LinesHost, init: EventSourceInit): Lines {
  let current: Line | undefined;
  let next: Line | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let budget = BURST;
  let counted = Date.now();

  const start = (line: Line) => {
    line.stream = openStream(
      () => {
        line.answered = line.stands = false;
        line.unexplained = undefined;
        return host.address(line);
      },
      init,
      {
        frame: (text, id) => host.frame(line, text, id),
        error(error) {
          if (line === current) host.error(error);
        },
        state(state) {
          if (state.state === 'waiting') line.stands = false;
          if (line === next && state.state === 'waiting' && ++line.failures >= MAX_FAILURES) promote(line);
          if (line !== current) return;
          if (state.state !== 'waiting' || !next) return host.state(state);
          promote(next);
          host.state({ state: 'connecting' });
          host.error(new Event('error'));
          next?.stream.look();
        },
      },
    );
  };

  const create = () =>
    ({ asked: new Map(), answered: false, asksResume: false, stands: false, failures: 0 }) as unknown as Line;

  const promote = (line: Line) => {
    current?.stream.close();
    current = line;
    next = undefined;
  };

  const apply = () => {
    timer = undefined;
    // What is on its way asks for what is wanted when it sets out; once it stands, it is looked at again.
    if (next || !current?.stands || !host.differs(current.asked)) return;
    budget--;
    next = create();
    start(next);
  };

  const change = () => {
    if (timer) return;
    const now = Date.now();
    budget = Math.min(BURST, budget + (now - counted) / REFILL);
    counted = now;
    timer = setTimeout(apply, budget < 1 ? (1 - budget) * REFILL : MOMENT);
  };

  const close = () => {
    clearTimeout(timer);
    current?.stream.close();
    next?.stream.close();
    timer = current = next = undefined;
  };

  return {
    get current() {
      return current;
    },
    open() {
      close();
      current = create();
      start(current);
    },
    change,
    stand(line) {
      if (line === next) promote(line);
      line.stands = true;
      line.failures = 0;
      if (host.differs(line.asked)) change();
    },
    look(silence) {
      current?.stream.look(silence);
      next?.stream.look(silence);
    },
    tick(jumped) {
      current?.stream.tick(jumped);
      next?.stream.tick(jumped);
    },
    close,
  };
}
