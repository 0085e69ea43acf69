import { createParser } from 'eventsource-parser';

/** A frame as the wire had it. */
export interface WireFrame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

/** A stream that a case opened: a reader of its own, so that the kit depends on nothing of djr. */
export class StreamReader {
  readonly frames: WireFrame[] = [];
  /** The id that a reader would come back with, also from frames without data. */
  lastEventId = '';
  ended = false;
  /** How many frames `receive` has looked at. */
  read = 0;
  readonly #abort = new AbortController();
  #changed: () => void = () => {};

  static async open(url: string, headers: Record<string, string>, patience: number): Promise<StreamReader> {
    const reader = new StreamReader();
    const signal = AbortSignal.any([reader.#abort.signal]);
    const timer = setTimeout(() => reader.#abort.abort(), patience);
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...headers },
      signal,
      redirect: 'manual',
    })
      .catch(() => undefined)
      .finally(() => clearTimeout(timer));
    if (!response) throw new Error(`The server did not answer within ${patience} ms.`);
    if (response.status !== 200) throw new Error(`The stream must be answered with 200 (it is ${response.status}).`);
    const type = response.headers.get('content-type') ?? '';
    if (!/^text\/event-stream\b/.test(type)) throw new Error(`Content-Type must be text/event-stream (it is ${type}).`);
    void reader.#follow(response.body!);
    return reader;
  }

  /** Waits until `find` gives something. */
  async wait<T>(what: string, patience: number, find: () => T | undefined): Promise<T> {
    const end = performance.now() + patience;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const left = end - performance.now();
      if (left <= 0 || (this.ended && find() === undefined)) {
        const last = JSON.stringify(this.frames.slice(-5).map(({ id, data }) => [id, data]));
        throw new Error(
          `${what} did not come${this.ended ? ', and the stream has ended' : ''}; the last frames: ${last}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.#abort.abort();
  }

  async #follow(body: ReadableStream<Uint8Array>): Promise<void> {
    // The parser tells of no frame that has an id alone, and such a frame moves the reader's place as well.
    let pending = '';
    const parser = createParser({
      onEvent: ({ id, event, data }) =>
        this.frames.push({ id, event, data: JSON.parse(data) as Record<string, unknown> }),
    });
    try {
      for await (const chunk of body.pipeThrough(
        new TextDecoderStream() as never,
      ) as unknown as AsyncIterable<string>) {
        parser.feed(chunk);
        pending += chunk;
        const complete = pending.lastIndexOf('\n\n');
        if (complete >= 0) {
          const ids = [...pending.slice(0, complete).matchAll(/^id: ?(.*)$/gm)];
          this.lastEventId = ids.at(-1)?.[1] ?? this.lastEventId;
          pending = pending.slice(complete + 2);
        }
        this.#changed();
      }
    } catch {
      // Aborted by us, or cut: the end is all that counts.
    }
    this.ended = true;
    this.#changed();
  }
}
