import { openStream, type Stream } from './stream.js';
import type { Request } from './topics/words.js';
import type { State } from './types.js';

/** A stream of this page, and what was asked of its present attempt. */
export interface Line extends Request {
  stream: Stream;
  /** Whether the attempt has been answered, and whether that was a resume, where one was asked for. */
  answered: boolean;
  asksResume: boolean;
  /** Takes the answer without the resume: until the reason follows, no frame is believed. */
  accept: (() => void) | undefined;
  /** Whether it does what it was asked for. */
  stands: boolean;
  failures: number;
}

export interface LinesHost {
  address(line: Line): Promise<string>;
  frame(line: Line, text: string, id: string): false | number | undefined;
  error(error: Event): void;
  state(state: State): void;
}

/** The one stream of a page, and at times the one that is to take its place. */
export interface Lines {
  readonly current: Line | undefined;
  /** Begins anew, in place of what stands. */
  open(): void;
  /** Opens one that is to take the current one's place, unless there is such a one: what stands is kept until the other does. */
  replace(): void;
  /** This one stands: the other is closed. */
  stand(line: Line): void;
  look(silence?: number): void;
  tick(jumped: boolean): void;
  close(): void;
}

/** Failures of the stream that is to come, before the one that stands makes room: the browser may have no connection left. */
const MAX_FAILURES = 3;

export function createLines(host: LinesHost, init: EventSourceInit): Lines {
  let current: Line | undefined;
  let next: Line | undefined;

  const create = () =>
    ({ answered: false, asksResume: false, stands: false, failures: 0, over: [] }) as unknown as Line;

  /** A stream says at once that it is connecting: the line must have its place by then. */
  const start = (line: Line) => {
    line.stream = openStream(
      () => {
        line.answered = line.stands = false;
        line.accept = undefined;
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
          current.stream.look();
        },
      },
    );
  };

  const promote = (line: Line) => {
    current?.stream.close();
    current = line;
    next = undefined;
  };

  const both = (call: (stream: Stream) => void) => {
    for (const line of [current, next]) if (line) call(line.stream);
  };

  const close = () => {
    both((stream) => stream.close());
    current = next = undefined;
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
    replace() {
      if (next) return;
      next = create();
      start(next);
    },
    stand(line) {
      if (line === next) promote(line);
      line.stands = true;
      line.failures = 0;
    },
    look: (silence) => both((stream) => stream.look(silence)),
    tick: (jumped) => both((stream) => stream.tick(jumped)),
    close,
  };
}
