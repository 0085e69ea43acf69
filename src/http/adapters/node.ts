import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { StreamStart } from '../endpoint.js';
import type { HandedLogin } from '../incoming.js';
import { problem, type Reply } from '../reply.js';
import type { Router } from '../router.js';
import { Http2Connection } from './http2-connection.js';
import { linger } from './linger.js';
import { NodeConnection } from './node-connection.js';
import { NodeIncoming } from './node-incoming.js';
import { behindStream, carryStream, listen, turn } from './pipeline.js';

/** What the app knows of a request already. */
export interface HandlerContext {
  /** Whose request it is; `authenticate` is not asked then. Null or undefined: an anonymous client. */
  userId?: HandedLogin['userId'];
  /** When that login ends, milliseconds since 1970 or a Date. */
  expires?: HandedLogin['expires'];
  /** The body that a parser before us has read, where it is not `req.body`: Fastify's `request.body`. */
  body?: unknown;
}

/** Goes on with what comes behind the handler in the app. */
export type Next = (error?: unknown) => unknown;

/** The two of Koa's context that the handler takes. */
export interface KoaContext {
  req: IncomingMessage;
  res: ServerResponse;
  request?: { body?: unknown };
}

/**
 * `(req, res, next?, { userId, expires }?)`: for node:http, HTTP/2, Express, Connect, Fastify's raw requests; Koa's `(ctx, next)`. What it
 * returns resolves when the answer is over.
 */
export interface NodeHandler {
  (context: KoaContext, next: Next): Promise<void>;
  (req: IncomingMessage, res: ServerResponse, context: HandlerContext): Promise<void>;
  (req: IncomingMessage, res: ServerResponse, next?: Next, context?: HandlerContext): Promise<void>;
}

/** A request as the handler was called with it. */
interface Call {
  req: IncomingMessage;
  res: ServerResponse;
  next: Next | undefined;
  context: HandlerContext;
}

/** Seconds of silence after which the kernel asks whether the other side is still there. */
const TCP_KEEP_ALIVE = 30_000;

export function nodeHandler(router: Router): NodeHandler {
  // Two parameters, as far as anybody can see: Express takes a function with four for one that handles errors.
  return (first: unknown, second: unknown, ...rest: unknown[]): Promise<void> =>
    new Promise((over, reject) => {
      answer(router, first, second, rest, over).then((goesOn) => goesOn || over(), reject);
    });
}

/**
 * @param over - called when the answer is over where it goes on. A stream's caller waits for hours: what it waits for is one promise, and
 *   not several, one behind the other
 * @returns whether it goes on
 */
async function answer(
  router: Router,
  first: unknown,
  second: unknown,
  rest: unknown[],
  over: () => void,
): Promise<boolean> {
  const { req, res, next, context } = readCall(first, second, rest);
  // Express and Connect cut the mount path off `url`.
  const { originalUrl } = req as IncomingMessage & { originalUrl?: string };
  const target = originalUrl ?? req.url ?? '/';
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
    // The client has gone while it was looked at, or somebody else has answered it.
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
    const { req, res, request } = first as KoaContext;
    return { req, res, next: second, context: request?.body === undefined ? {} : { body: request.body } };
  }
  const context = rest.find((value) => typeof value === 'object' && value !== null) ?? {};
  return { req: first as IncomingMessage, res: second as ServerResponse, next: rest.find(isNext), context };
}

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

/** Opens the stream. @param over - called when its connection is gone */
function carry(req: IncomingMessage, res: ServerResponse, start: StreamStart, over: () => void): void {
  const http1 = req.httpVersionMajor < 2;
  listen(res, 'error', ignore);
  if (http1) begin1(req, res, start);
  else start.begin(open2(res, start.headers));
  const end = () => {
    start.gone();
    over();
  };
  // Either may be all that there is: a response that was never its socket's current one says nothing. Not `once`, which keeps more.
  listen(res, 'close', end);
  if (http1) listen(req.socket, 'close', end);
}

/** Head and first frames go in one write: each is a system call, a sixth of what a stream costs to open. */
function begin1(req: IncomingMessage, res: ServerResponse, start: StreamStart): void {
  const { socket } = req;
  socket.cork();
  try {
    start.begin(open(req, res, start.headers));
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
  carryStream(socket);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE);
  socket.setNoDelay(true);
  socket.setTimeout(0);
  // A stream's connection is never used again: without chunks each write is one piece, and costs what a raw
  // socket's does.
  res.removeHeader('Transfer-Encoding');
  // A middleware that compresses collects what a page waits for. Not all of them heed no-transform; what has an encoding,
  // they all leave as it is.
  if (res.write !== ServerResponse.prototype.write) res.setHeader('Content-Encoding', 'identity');
  // In one call: headers that were set one by one the response keeps, a kilobyte of them for each stream.
  res.writeHead(200, { ...headers, Connection: 'close' });
  // One that holds the head back until the first bytes come would be left without it.
  if (res.headersSent) res.flushHeaders();
  // ServerResponse corks its socket and schedules an uncork for each write, a third of what a delivery costs. Without
  // chunks its bytes are the socket's, unless somebody wants to see them before.
  return new NodeConnection(res, socket, !isWrapped(res) && res.headersSent && !res.chunkedEncoding);
}

/** The socket of HTTP/2 belongs to all streams of its session. */
function open2(res: ServerResponse, headers: Record<string, string>): Http2Connection {
  res.writeHead(200, headers);
  res.flushHeaders();
  return new Http2Connection(res as unknown as Http2ServerResponse);
}
