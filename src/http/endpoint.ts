import type { Connection } from '../clients/connection.js';
import type { Incoming } from './incoming.js';
import type { Reply } from './reply.js';

/** An accepted stream: the adapter opens the response with these headers and hands over its connection. */
export interface StreamStart {
  readonly headers: Record<string, string>;
  begin(connection: Connection): unknown;
  /** The connection is gone, or the client was before it began: until then it counts. */
  gone(): void;
}

/** What answers requests for one path below the base path. A new one is a file, and a line where the router is made. */
export interface Endpoint {
  /** Without slashes at its ends, `sse`; with `/*` at its end it has all paths below it, too. */
  readonly path: string;
  /** Other methods are 405 with `Allow`; `any`: it says so itself. */
  readonly methods: readonly string[] | 'any';
  /** Whether its answer is a stream, which no other answer of the same HTTP/1 connection can come behind. */
  readonly streams?: true;
  respond(incoming: Incoming): Reply | Promise<Reply | StreamStart>;
}

/** What is only looked at. */
export const READ = ['GET', 'HEAD'] as const;
