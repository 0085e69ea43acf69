import type { IncomingMessage } from 'node:http';
import type { UserId } from '../options.js';
import type { Body } from './adapters/body.js';

/** What `authenticate` and the other options that look at a request get beside it. */
export interface RequestContext {
  /** The original request of node:http, with what middlewares have put on it: `req.session`, `req.user`. Undefined in `fetch`. */
  readonly req?: IncomingMessage | undefined;
}

/** A login that the app has made out itself: null or undefined is an anonymous client. */
export interface HandedLogin {
  readonly userId: UserId | null | undefined;
  /** When it ends, milliseconds since 1970 or a Date: the stream ends then. @defaultValue never by itself */
  readonly expires?: number | Date | undefined;
}

/** A request, whatever brought it. */
export interface Incoming {
  readonly method: string;
  /** Path and query, as the app's outermost server saw them. */
  readonly target: string;
  /** The client's address; undefined where it cannot be known. */
  readonly address: string | undefined;
  /** Whether the client came by https. */
  readonly secure: boolean;
  /** What goes to the app's own functions beside the request. */
  readonly context: RequestContext;
  /** Instead of what `authenticate` says; undefined: it is asked. */
  readonly login: HandedLogin | undefined;
  header(name: string): string | undefined;
  /** A web-standard Request, made when somebody asks. @throws when Host or path make no URL */
  request(): Request;
  /** Reads the body. @param limit - in bytes */
  body(limit: number): Promise<Body>;
}
