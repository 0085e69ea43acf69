import type { IncomingMessage } from 'node:http';
import type { UserId } from '../event/user-id.js';
import type { Body } from './adapters/body.js';

/** The second argument of `authenticate` and of the other options that are called with a request. */
export interface RequestContext {
  /** The original request of node:http, with the properties that middlewares have set: `req.session`, `req.user`. Undefined in `fetch`. */
  readonly req?: IncomingMessage | undefined;
}

/** A login that the app has determined itself and passed to the handler. */
export interface HandedLogin {
  /** null or undefined: an anonymous client. */
  readonly userId: UserId | null | undefined;
  /** When the login, and with it the stream, ends: milliseconds since 1970 or a Date. @defaultValue never by itself */
  readonly expires?: number | Date | undefined;
}

/** A request, whichever adapter received it. */
export interface Incoming {
  readonly method: string;
  /** Path and query, as the app's outermost server saw them. */
  readonly target: string;
  /** The client's address; undefined if it is not known. */
  readonly address: string | undefined;
  /** Whether the client came by https. */
  readonly secure: boolean;
  /** The second argument for the app's own functions. */
  readonly context: RequestContext;
  /** The login that the app passed to the handler; undefined: `authenticate` is called. */
  readonly login: HandedLogin | undefined;
  header(name: string): string | undefined;
  /** Makes a web-standard Request. @throws when Host and path make no URL */
  request(): Request;
  /** Reads the body. @param limit - in bytes */
  body(limit: number): Promise<Body>;
}
