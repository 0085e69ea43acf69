import type { State } from './types.js';

/** What a {@link Stream} tells its owner. */
export interface StreamHandlers {
  /**
   * Called for each frame with data; `id` is '' if the frame has none of its own.
   *
   * @returns false if the answer is not what was asked for: the stream is then asked for again. A number: the milliseconds within
   * which the next frame must come.
   */
  frame(data: string, id: string): false | number | undefined;
  /** The stream was cut off or refused, or its address could not be made. The stream tries again by itself. */
  error(error: Event): void;
  state(state: State): void;
}

/** A Server-Sent Events stream that never gives up. */
export interface Stream {
  /** Tries at once if the stream waits for its next attempt. If it is open but has been silent for so many milliseconds, reconnects. */
  look(silence?: number): void;
  /** Called every second. `jumped`: the clock shows that the page, or the machine, was asleep. */
  tick(jumped: boolean): void;
  /** Takes what the server says: milliseconds between two heartbeats, and milliseconds before the first new attempt. */
  pace(heartbeat?: number, retry?: number): void;
  close(): void;
}

const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;
/** Milliseconds that the token may take, and milliseconds that the server's answer may take after it. */
const PATIENCE = 10_000;
const ANSWER = 10_000;
/** Heartbeat intervals of silence after which a stream counts as dead. A live one sends a heartbeat within 1.25 intervals. */
export const SILENT_INTERVALS = 2.5;

/**
 * Opens a stream, with a new EventSource for each attempt. An EventSource that reconnects by itself sends the last id in a header,
 * which service workers and proxies may drop; it asks for no new token, and it does not notice a network that swallows everything.
 *
 * @param address - called for each attempt, because the last id and the token change
 */
export function openStream(
  address: () => Promise<string>,
  init: EventSourceInit,
  { frame, error, state }: StreamHandlers,
): Stream {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The number of the current attempt: what belongs to an earlier one is ignored. */
  let term = 0;
  let attempt = 0;
  let heartbeat = 0;
  let firstDelay = FIRST_DELAY;
  let heard = 0;
  /** Whether the stream is open, as far as the last frame says. */
  let open = false;
  /** The time until which the next frame, or the answer, must come; after it the stream counts as dead. */
  let due = 0;

  const drop = () => {
    term++;
    source?.close();
    clearTimeout(timer);
    timer = source = undefined;
    open = false;
    due = Number.POSITIVE_INFINITY;
  };

  const fail = (event: Event, refused?: string) => {
    drop();
    const mine = term;
    const delay = Math.random() * Math.min(LONGEST_DELAY, firstDelay * 2 ** attempt++);
    const at = Date.now() + delay;
    timer = setTimeout(begin, delay);
    state({ state: 'waiting', at });
    error(event);
    // The status is asked for ever more rarely, as a server that refuses a stream may be overloaded.
    if (refused && !(attempt & (attempt - 1))) {
      statusOf(refused, init).then(
        (status) => mine === term && status > 299 && state({ state: 'refused', status, at }),
      );
    }
  };

  const again = () => {
    drop();
    const mine = term;
    state({ state: 'waiting', at: Date.now() });
    error(new Event('error'));
    // The owner may have closed the stream meanwhile, as another one takes its place.
    if (mine === term) begin();
  };

  const begin = async () => {
    drop();
    const mine = term;
    state({ state: 'connecting' });
    due = Date.now() + PATIENCE;
    let url: string;
    try {
      url = await address();
      if (mine !== term) return;
      source = new EventSource(url, init);
    } catch (cause) {
      if (mine === term) fail(new ErrorEvent('error', { error: cause }));
      return;
    }
    due = Date.now() + ANSWER;
    let previous = '';
    source.onerror = (event) => fail(event, source?.readyState === EventSource.CLOSED ? url : undefined);
    source.onmessage = ({ data, lastEventId }) => {
      heard = Date.now();
      // For a frame without an id the browser reports the previous frame's id; no two frames of a stream have the same id.
      const id = lastEventId === previous ? '' : lastEventId;
      previous = lastEventId;
      const patience = frame(data, id);
      if (mine !== term) return;
      if (patience === false) return fail(new Event('error'));
      open = patience === undefined;
      if (open) attempt = 0;
      due = heard + (patience ?? (heartbeat * SILENT_INTERVALS || Number.POSITIVE_INFINITY));
    };
  };

  begin();
  return {
    look(silence = heartbeat || Number.POSITIVE_INFINITY) {
      if (timer !== undefined) begin();
      else if (open && Date.now() - heard > silence) again();
    },
    tick(jumped) {
      const late = Date.now() > due;
      if (open && (late || jumped)) again();
      else if (late) fail(new Event('error'));
    },
    pace(interval = heartbeat, retry = firstDelay) {
      heartbeat = interval;
      firstDelay = retry;
    },
    close: drop,
  };
}

/** Asks for the status of a refused stream, which an EventSource does not tell. @returns 0 if it cannot be had */
async function statusOf(url: string, { withCredentials }: EventSourceInit): Promise<number> {
  try {
    const { status, body } = await fetch(`${url}&probe=1`, {
      headers: { Accept: 'text/event-stream' },
      credentials: withCredentials ? 'include' : 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE),
    });
    // The server answers a probe without opening a stream; any other server's stream is ended at once.
    body?.cancel();
    return status;
  } catch {
    return 0;
  }
}
