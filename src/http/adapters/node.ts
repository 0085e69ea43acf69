import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { StreamStart } from '../endpoint.js';
import type { HandedLogin } from '../incoming.js';
import { problem, type Reply } from '../reply.js';
import type { Router } from '../router.js';
import { Http2Connection } from './http2-connection.js';
import { linger } from './linger.js';
import { NodeConnection } from './node-connection.js';
import { NodeIncoming, originForm } from './node-incoming.js';
import { behindStream, carryStream, listen, turn } from './pipeline.js';

/** What the app already knows about a request. */
export interface HandlerContext {
  /** The user who sends the request; `authenticate` is not called then. Null or undefined: an anonymous client. */
  userId?: HandedLogin['userId'];
  /** When that login ends, milliseconds since 1970 or a Date. */
  expires?: HandedLogin['expires'];
  /** The body that a parser of the app has read, if it is not in `req.body`: Fastify's `request.body`. */
  body?: unknown;
}

/** Calls the next handler of the app. */
export type Next = (error?: unknown) => unknown;

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = ServerResponse | Http2ServerResponse;

/** The parts of Koa's context that the handler uses. */
export interface KoaContext {
  req: IncomingMessage;
  res: ServerResponse;
  /** Where a body parser, such as koa-bodyparser, leaves the body. */
  request?: object;
  /** The whole of it: koa-mount cuts the path off `req.url`. */
  originalUrl?: string;
}

/**
 * `(req, res, next?, { userId, expires }?)`: for node:http, HTTP/2, Express, Connect and Fastify's raw requests; `(ctx, next)` for Koa. The
 * promise that it returns resolves when the answer is over.
 */
export interface NodeHandler {
  (context: KoaContext, next: Next): Promise<void>;
  (req: NodeRequest, res: NodeResponse, context: HandlerContext): Promise<void>;
  (req: NodeRequest, res: NodeResponse, next?: Next, context?: HandlerContext): Promise<void>;
}

/** The arguments with which the handler was called. */
interface Call {
  req: IncomingMessage;
  res: ServerResponse;
  /** Path and query, as the client has sent them. */
  target: string;
  next: Next | undefined;
  context: HandlerContext;
}

/** Milliseconds of silence after which the kernel checks whether the other side is still there. */
const TCP_KEEP_ALIVE = 30_000;

export function nodeHandler(router: Router): NodeHandler {
  // The function declares two parameters only, because Express takes a function with four for an error handler.
  return (first: unknown, second: unknown, ...rest: unknown[]): Promise<void> =>
    new Promise((over, reject) => {
      answer(router, first, second, rest, over).then((goesOn) => goesOn || over(), reject);
    });
}

/**
 * Answers a request.
 *
 * @param over - called when an answer that goes on is over. The caller of a stream waits for hours, so it waits for one promise and not for
 *   a chain of them
 * @returns whether the answer goes on after this has resolved
 */
async function answer(
  router: Router,
  first: unknown,
  second: unknown,
  rest: unknown[],
  over: () => void,
): Promise<boolean> {
  const { req, res, target, next, context } = readCall(first, second, rest);
  const route = router.route(target);
  if (route === undefined) {
    router.missed(target);
    if (next) await next();
    else await send(req, res, problem(404, 'There is nothing here.'));
    return false;
  }
  try {
    const http1 = req.httpVersionMajor < 2;
    if (http1 && route.endpoint?.streams) await turn(res);
    const unanswerable = http1 ? behindStream(req.socket) : undefined;
    if (unanswerable) {
      void unanswerable.then(over);
      return true;
    }
    const reply = await router.respond(route, new NodeIncoming(router.senders, req, target, context));
    if ('status' in reply) await send(req, res, reply);
    // The client has gone meanwhile, or other code has answered the request.
    else if (res.headersSent || res.destroyed || res.writableEnded || req.socket?.destroyed) reply.gone();
    else {
      carry(req, res, reply, over);
      return true;
    }
  } catch (error) {
    if (next) await next(error);
    else await send(req, res, problem(500, 'The request could not be answered.'));
  }
  return false;
}

const isNext = (value: unknown): value is Next => typeof value === 'function';

function readCall(first: unknown, second: unknown, rest: unknown[]): Call {
  if (isNext(second)) {
    const { req, res, request, originalUrl } = first as KoaContext;
    const { body } = (request ?? {}) as { body?: unknown };
    const context = body === undefined ? {} : { body };
    const target = originalUrl === undefined ? targetOf(req) : originForm(originalUrl);
    return { req, res, target, next: second, context };
  }
  const req = first as IncomingMessage;
  const context = rest.find((value) => typeof value === 'object' && value !== null) ?? {};
  return { req, res: second as ServerResponse, target: targetOf(req), next: rest.find(isNext), context };
}

/** Express and Connect cut the mount path off `url` and keep the whole in `originalUrl`. */
const targetOf = (req: IncomingMessage & { originalUrl?: string }): string =>
  originForm(req.originalUrl ?? req.url ?? '/');

async function send(req: IncomingMessage, res: ServerResponse, reply: Reply): Promise<void> {
  if (res.headersSent || res.destroyed || res.writableEnded) return;
  const body = Buffer.from(reply.body);
  const refusesBody = reply.status === 413;
  if (refusesBody) res.shouldKeepAlive = false;
  if (reply.status !== 304 && reply.status !== 204) res.setHeader('Content-Length', body.length);
  if (reply.cookies?.length) res.setHeader('Set-Cookie', reply.cookies);
  res.writeHead(reply.status, reply.headers);
  if (refusesBody) {
    listen(res, 'error', ignore);
    res.write(body);
    await new Promise<void>((resolve) => linger(req, resolve));
    res.end();
  } else res.end(req.method === 'HEAD' || reply.status === 304 ? undefined : body);
}

const ignore = (): void => {};

/** Opens the stream. @param over - called when the connection is gone */
function carry(req: IncomingMessage, res: ServerResponse, start: StreamStart, over: () => void): void {
  const http1 = req.httpVersionMajor < 2;
  listen(res, 'error', ignore);
  try {
    if (http1) begin1(req, res, start);
    else start.begin(open2(res, start.headers));
  } catch (error) {
    // A middleware that wraps the response has thrown. The stream gives its place back, and an answer that has begun ends.
    start.gone();
    if (res.headersSent) res.destroy();
    throw error;
  }
  const end = () => {
    start.gone();
    over();
  };
  // Only one of the two events may come: a response that never became its socket's current one emits no 'close'. `once` would keep more
  // in memory.
  listen(res, 'close', end);
  if (http1) listen(req.socket, 'close', end);
}

/** Opens the stream with head and first frames in one write. Each write is a system call, a sixth of the cost of opening a stream. */
function begin1(req: IncomingMessage, res: ServerResponse, start: StreamStart): void {
  const { socket } = req;
  socket.cork();
  try {
    start.begin(open(req, res, start.headers));
    carryStream(socket);
  } finally {
    socket.uncork();
  }
}

const WRAPPED = ['writeHead', 'write', 'end', 'flushHeaders', 'setHeader', 'removeHeader'] as const;

/** Whether some middleware stands between the response and its socket. */
const isWrapped = (res: ServerResponse): boolean =>
  WRAPPED.some((method) => res[method] !== ServerResponse.prototype[method]);

function open(req: IncomingMessage, res: ServerResponse, headers: Record<string, string>): NodeConnection {
  const { socket } = req;
  socket.setKeepAlive(true, TCP_KEEP_ALIVE);
  socket.setNoDelay(true);
  socket.setTimeout(0);
  // The connection of a stream is never used again, so chunked encoding is not needed. Without it each write is one piece and costs no
  // more than a write to a raw socket.
  res.removeHeader('Transfer-Encoding');
  // A compressing middleware would collect bytes that a page waits for. Not all of them respect no-transform, but all of them leave a
  // response alone that has an encoding.
  if (res.write !== ServerResponse.prototype.write) res.setHeader('Content-Encoding', 'identity');
  // All headers in one call: the response would keep headers that are set one by one, a kilobyte for each stream.
  res.writeHead(200, { ...headers, Connection: 'close' });
  // A middleware may hold the head back until the first bytes come; then the flush must go through it.
  if (res.headersSent) res.flushHeaders();
  // ServerResponse corks its socket and schedules an uncork for each write, a third of the cost of a delivery. Without chunked encoding
  // the same bytes can be written to the socket itself, unless a middleware has to see them.
  return new NodeConnection(res, socket, !isWrapped(res) && res.headersSent && !res.chunkedEncoding);
}

/** Opens the stream over HTTP/2. Its socket belongs to all streams of the session, so the socket's settings stay as they are. */
function open2(res: ServerResponse, headers: Record<string, string>): Http2Connection {
  res.writeHead(200, headers);
  res.flushHeaders();
  return new Http2Connection(res as unknown as Http2ServerResponse);
}
