import type { Body } from './body.js';

/** A request, whatever brought it. */
export interface Incoming {
  readonly method: string;
  /** Path and query, as the app's outermost server saw them. */
  readonly target: string;
  /** The peer's address; undefined where the adapter cannot know it. */
  readonly address: string | undefined;
  header(name: string): string | undefined;
  /** A web-standard Request, made when somebody asks. @throws when Host or path make no URL */
  request(): Request;
  /** Reads the body. @param limit - in bytes */
  body(limit: number): Promise<Body>;
}
