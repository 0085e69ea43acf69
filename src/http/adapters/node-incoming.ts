import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Senders } from '../guards/senders.js';
import type { HandedLogin, Incoming, RequestContext } from '../incoming.js';
import { type Body, readText } from './body.js';
import type { HandlerContext } from './node.js';

/**
 * A request of node:http. A stream keeps it for hours, as a hook may ask for it. It is a class because an object literal with getters
 * would take a kilobyte for each.
 */
export class NodeIncoming implements Incoming {
  readonly target: string;
  readonly #senders: Senders;
  readonly #req: IncomingMessage;
  readonly #context: HandlerContext;
  /** The peer's address, read at once because the socket forgets it when the client goes. */
  readonly #peer: string | undefined;

  constructor(senders: Senders, req: IncomingMessage, target: string, context: HandlerContext) {
    this.#senders = senders;
    this.#req = req;
    this.target = target;
    this.#context = context;
    this.#peer = req.socket.remoteAddress;
  }

  get method(): string {
    return this.#req.method ?? 'GET';
  }

  get context(): RequestContext {
    return { req: this.#req };
  }

  get login(): HandedLogin | undefined {
    const { expires, userId } = this.#context;
    return 'userId' in this.#context ? { userId, expires } : undefined;
  }

  get address(): string | undefined {
    return this.#senders.address({
      peer: this.#peer,
      header: (name) => this.header(name),
      request: () => this.request(),
      context: this.context,
    });
  }

  get secure(): boolean {
    const said = this.#senders.isSecure(this.#peer, (name) => this.header(name));
    return said ?? (this.#req.socket as Partial<TLSSocket>).encrypted === true;
  }

  header(name: string): string | undefined {
    const { headers } = this.#req;
    // HTTP/2 has the host in a pseudo-header of its own.
    const value = headers[name] ?? (name === 'host' ? headers[':authority'] : undefined);
    return Array.isArray(value) ? value.join(', ') : value;
  }

  request(): Request {
    return toRequest(this.#req, this.target, this.secure);
  }

  /** If a parser of the app, such as Express's, has read the body, the value that it left is used. */
  async body(limit: number): Promise<Body> {
    const req = this.#req as IncomingMessage & { body?: unknown };
    if (!req.readableDidRead) return readText(req.iterator({ destroyOnReturn: false }), limit);
    const { body = req.body } = this.#context;
    if (body === undefined) return 'taken';
    return typeof body === 'string' || Buffer.isBuffer(body) ? { text: body.toString() } : { parsed: body };
  }
}

/**
 * The path and query of a request target. A client that takes the server for a proxy sends the whole address instead
 * (`GET http://example.com/realtime/sse/`), which every server must accept (RFC 9112, 3.2.2).
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(/^https?:\/\/[^/?]*/i, '');
  return rest.startsWith('?') || rest === '' ? `/${rest}` : rest;
}

/** Makes a web-standard Request. @throws when Host and path make no URL */
export function toRequest(req: IncomingMessage, target: string, secure: boolean): Request {
  const host = req.headers.host ?? req.headers[':authority'] ?? 'localhost';
  // As a list they are checked and copied once; a Headers object would be copied again.
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(req.headers)) {
    if (value !== undefined && !name.startsWith(':'))
      headers.push([name, Array.isArray(value) ? value.join(', ') : value]);
  }
  const url = new URL(target, `${secure ? 'https' : 'http'}://${host}`);
  return new Request(url, { method: req.method ?? 'GET', headers });
}
