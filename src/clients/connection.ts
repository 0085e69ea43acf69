/** One open HTTP response, whatever carries it: node:http, HTTP/2 or Fetch. */
export interface Connection {
  /** False when the bytes had to be kept: {@link buffered} grows until the client reads. */
  write(chunk: Buffer): boolean;
  /** Bytes written and not yet taken by the operating system. */
  readonly buffered: number;
  /** Changes whenever bytes have gone, and only then. */
  readonly progress: number;
  /** Ends the response after what is buffered. @param within - milliseconds after which it is dropped: a client need not read */
  end(within: number): void;
  /** Drops it at once, with what is buffered. */
  destroy(): void;
  /** Called each time the buffer has run empty. */
  onDrain: (() => void) | undefined;
}
