/** One open HTTP response, of node:http, HTTP/2 or Fetch. */
export interface Connection {
  /** @returns false if the bytes had to be kept: {@link buffered} grows until the client reads */
  write(chunk: Buffer): boolean;
  /** Bytes written and not yet taken by the operating system. */
  readonly buffered: number;
  /** A number that changes whenever bytes have been taken, and only then. */
  readonly progress: number;
  /** Ends the response after the buffered bytes. @param within - milliseconds after which it is dropped, as the client may not read */
  end(within: number): void;
  /** Drops the response at once, with its buffered bytes. */
  destroy(): void;
  /** Called each time the buffer has become empty. */
  onDrain: (() => void) | undefined;
}
