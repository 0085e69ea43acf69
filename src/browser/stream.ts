/** What a {@link Stream} tells its owner. */
export interface StreamHandlers {
  /** One frame with data; `id` is '' when the frame brought none of its own. */
  frame(data: string, id: string): void;
  /** Cut off, refused, or the address could not be made; it is tried again by itself. */
  error(error: Event): void;
}

/** A Server-Sent Events stream that never gives up. */
export interface Stream {
  /** Tries again now, when it is waiting to. */
  hurry(): void;
  close(): void;
}

const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30_000;

/**
 * The browser retries by itself what was cut, but any answer other than 200 (a deploy's 503, a 401) closes an
 * EventSource for good: then a new one is made, after 1 to 30 s with full jitter.
 *
 * @param address - asked anew for each EventSource, as the last id and the token change.
 */
export function openStream(
  address: () => Promise<string>,
  init: EventSourceInit,
  { frame, error }: StreamHandlers,
): Stream {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let closed = false;

  const failed = (event: Event) => {
    if (closed) return;
    if (source?.readyState !== EventSource.CONNECTING) {
      timer = setTimeout(open, Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt++));
    }
    error(event);
  };

  const open = async () => {
    timer = source = undefined;
    try {
      const url = await address();
      if (closed) return;
      source = new EventSource(url, init);
    } catch (cause) {
      return failed(new ErrorEvent('error', { error: cause }));
    }
    let previous = '';
    source.onerror = failed;
    source.onmessage = ({ data, lastEventId }) => {
      attempt = 0;
      // A frame without id shows the id of the one before it, which no two frames of a stream share.
      const id = lastEventId === previous ? '' : lastEventId;
      previous = lastEventId;
      frame(data, id);
    };
  };

  open();
  return {
    hurry() {
      if (timer === undefined) return;
      clearTimeout(timer);
      open();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      source?.close();
    },
  };
}
