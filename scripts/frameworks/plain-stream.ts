import { type App, until } from './app.js';

/** Milliseconds in which an event must come, and in which the stream of a server that has ended must be over. */
const PATIENCE = 10_000;

/** A stream as `curl` has one: a single connection, on which nothing else is asked. */
export class PlainStream {
  readonly #abort: AbortController;
  #text = '';
  #over = false;

  private constructor(body: ReadableStream<Uint8Array>, abort: AbortController) {
    this.#abort = abort;
    void this.#read(body);
  }

  /** Opens the stream with the login that a cookie holds. */
  static async open(app: App, cookie: string): Promise<PlainStream> {
    const abort = new AbortController();
    const { body, status } = await fetch(`${app.origin}/realtime/sse/`, { headers: { cookie }, signal: abort.signal });
    if (status !== 200) throw new Error(`The stream answers ${status}.`);
    return new PlainStream(body!, abort);
  }

  /** Resolves when an event with this text has come. */
  hears(text: string): Promise<void> {
    return until(`the stream brings "${text}"`, () => this.#text.includes(text), PATIENCE);
  }

  /** Resolves when the server has ended the stream. @throws when it did not say first when to come back */
  async ended(): Promise<void> {
    await until('the stream ends', () => this.#over, PATIENCE);
    if (!/retry: \d+\n+$/.test(this.#text)) throw new Error(`The stream was cut behind ${this.#text.slice(-200)}`);
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) this.#text += decoder.decode(chunk, { stream: true });
    } catch {
      // The connection was cut, or it was closed here.
    }
    this.#over = true;
  }
}
