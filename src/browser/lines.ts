import { openStream, type Stream } from './stream.js';
import type { Request } from './topics/words.js';
import type { State } from './types.js';

/** A stream of this page, and what its current attempt asked for. */
export interface Line extends Request {
  stream: Stream;
  /** Whether the server has answered the attempt. */
  answered: boolean;
  /** Whether the attempt asked for a resume. */
  asksResume: boolean;
  /** Set while an answer lacks the resume that was asked for: no frame is taken before the reset with the reason, which calls this. */
  accept: (() => void) | undefined;
  /** Whether it is open and does what it was asked for. */
  stands: boolean;
  failures: number;
}

export interface LinesHost {
  address(line: Line): Promise<string>;
  frame(line: Line, text: string, id: string): false | number | undefined;
  error(error: Event): void;
  state(state: State): void;
}

/** The current stream of a page, and at times the next one, which is to replace it. */
export interface Lines {
  readonly current: Line | undefined;
  /** Closes what there is and opens a new stream. */
  open(): void;
  /** Opens a stream that replaces the current one once it is open; until then the current one stays. Does nothing if there is a next one already. */
  replace(): void;
  /** This stream is open now: the other one is closed. */
  stand(line: Line): void;
  look(silence?: number): void;
  tick(jumped: boolean): void;
  close(): void;
}

/** Failures of the next stream after which the current one is closed for it: the browser may have no connection left. */
const MAX_FAILURES = 3;

export function createLines(host: LinesHost, init: EventSourceInit): Lines {
  let current: Line | undefined;
  let next: Line | undefined;

  const create = () =>
    ({ answered: false, asksResume: false, stands: false, failures: 0, over: [] }) as unknown as Line;

  /** A stream reports at once that it is connecting, so the line must already be the current or the next one. */
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
