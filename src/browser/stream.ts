import type { State } from './types.js';

/** What a {@link Stream} tells its owner. */
export interface StreamHandlers {
  /**
   * One frame with data; `id` is '' when the frame brought none of its own.
   *
   * @returns false where the answer is not what was asked for: it is asked again. Milliseconds: so long until the next frame.
   */
  frame(data: string, id: string): false | number | undefined;
  /** Cut off, refused, or the address could not be made; it is tried again by itself. */
  error(error: Event): void;
  state(state: State): void;
}

/** A Server-Sent Events stream that never gives up. */
export interface Stream {
  /** Tries now where it waits; where it stands, but has been silent for so many milliseconds, begins anew. */
  look(silence?: number): void;
  /** Called every second. `jumped`: the clock shows that the page, or the machine, was asleep. */
  tick(jumped: boolean): void;
  /** What the server says of its pace: milliseconds between heartbeats, and until the first new attempt. */
  pace(heartbeat?: number, retry?: number): void;
  close(): void;
}

const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;
/** Milliseconds that a token, and then the server's answer, may take. */
const PATIENCE = 10_000;
const ANSWER = 10_000;
/** Heartbeats come within 1.25 intervals. */
export const SILENT_INTERVALS = 2.5;

/**
 * A browser that reconnects by itself sends the last id in a header, which service workers and proxies may drop, asks for no
 * new token, and does not notice a network that swallows everything. So each attempt is a new EventSource.
 *
 * @param address - asked for each attempt, as the last id and the token change.
 */
export function openStream(
  address: () => Promise<string>,
  init: EventSourceInit,
  { frame, error, state }: StreamHandlers,
): Stream {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Tells this attempt from those before it. */
  let term = 0;
  let attempt = 0;
  let heartbeat = 0;
  let firstDelay = FIRST_DELAY;
  let heard = 0;
  /** Whether it stands, as far as the last frame says. */
  let open = false;
  /** When it is no longer believed in. */
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
    // Ever more rarely: whoever refuses a stream may have enough to do.
    if (refused && !(attempt & (attempt - 1))) {
      statusOf(refused, init).then(
        (status) => mine === term && status > 299 && state({ state: 'refused', status, at }),
      );
    }
  };

  const again = () => {
    drop();
    state({ state: 'waiting', at: Date.now() });
    error(new Event('error'));
    begin();
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
      // A frame without id shows the id of the one before it, which no two frames of a stream share.
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

/** An EventSource says nothing of the answer that ended it. @returns 0 where there is none to be had */
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
