import type { Connection } from '../clients/connection.js';
import type { Incoming } from './incoming.js';
import type { Reply } from './reply.js';

/** An accepted stream: the adapter sends these headers and then calls {@link begin} with its connection. */
export interface StreamStart {
  readonly headers: Record<string, string>;
  begin(connection: Connection): unknown;
  /** The connection is gone, or was gone before the stream began. Until this is called the stream counts for the limits. */
  gone(): void;
}

/** Answers the requests for one path below the base path. A new endpoint is a file in endpoints/, and a line in the list in `src/runtime/stages.ts`. */
export interface Endpoint {
  /** The path without slashes at its ends: `sse`. `admin/*` means all paths below `admin` as well. */
  readonly path: string;
  /** Requests with other methods are answered with 405 and `Allow`; `any`: the endpoint checks the method itself. */
  readonly methods: readonly string[] | 'any';
  /** Whether it may answer with a stream, after which an HTTP/1 connection carries no other answer. */
  readonly streams?: true;
  respond(incoming: Incoming): Reply | Promise<Reply | StreamStart>;
}

/** The methods of an endpoint that only reads. */
export const READ = ['GET', 'HEAD'] as const;
