import type { Connection } from '../../src/clients/connection.js';

/** A connection whose other side reads everything at once. */
export const connectionTo = (read: (chunk: Buffer) => void): Connection => ({
  write(chunk) {
    read(chunk);
    return true;
  },
  buffered: 0,
  progress: 0,
  end() {},
  destroy() {},
  onDrain: undefined,
});
