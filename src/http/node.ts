import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Connection } from '../delivery/connection.js';
import { type Body, readText } from './body.js';
import type { Handler } from './handler.js';
import type { Incoming } from './incoming.js';
import { linger } from './linger.js';
import { NodeConnection } from './node-connection.js';
import { problem, type Reply } from './reply.js';

/** `(req, res, next?)`: for node:http, Express, Connect, Fastify's and Koa's raw requests. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void;

/** Seconds of silence after which the kernel asks whether the other side is still there. */
const TCP_KEEP_ALIVE = 30_000;

export function nodeHandler(handler: Handler): NodeHandler {
  return (req, res, next) => {
    // Express and Connect cut the mount path off `url`.
    const { originalUrl } = req as IncomingMessage & { originalUrl?: string };
    const target = originalUrl ?? req.url ?? '/';
    const route = handler.owns(target);
    if (route === undefined) {
      if (next) next();
      else send(req, res, problem(404, 'There is nothing here.'));
      return;
    }
    const incoming = toIncoming(req, target);
    handler
      .respond(route, incoming)
      .then((answer) => {
        if ('status' in answer) send(req, res, answer);
        // The client has gone while it was looked at, or somebody else has answered it.
        else if (res.headersSent || res.destroyed || res.writableEnded || req.socket?.destroyed) answer.abandon();
        else {
          const client = answer.begin(open(req, res, answer.headers));
          res.once('close', () => client.close('client'));
        }
      })
      .catch((error: unknown) => {
        if (next) next(error);
        else send(req, res, problem(500, 'The request could not be answered.'));
      });
  };
}

function toIncoming(req: IncomingMessage, target: string): Incoming {
  return {
    method: req.method ?? 'GET',
    target,
    address: req.socket.remoteAddress,
    header: (name) => {
      // HTTP/2 has it in a field of its own.
      const value = req.headers[name] ?? (name === 'host' ? req.headers[':authority'] : undefined);
      return Array.isArray(value) ? value.join(', ') : value;
    },
    request: () => {
      const scheme = (req.socket as Partial<TLSSocket>).encrypted ? 'https' : 'http';
      const host = req.headers.host ?? req.headers[':authority'] ?? 'localhost';
      const headers = new Headers();
      for (const [name, value] of Object.entries(req.headers)) {
        if (value !== undefined && !name.startsWith(':'))
          headers.set(name, Array.isArray(value) ? value.join(', ') : value);
      }
      return new Request(new URL(target, `${scheme}://${host}`), { method: req.method ?? 'GET', headers });
    },
    body: (limit) => readBody(req, limit),
  };
}

/** Express's parsers and others have read it before us, and leave what they made of it. */
async function readBody(req: IncomingMessage & { body?: unknown }, limit: number): Promise<Body> {
  if (!req.readableDidRead) return readText(req.iterator({ destroyOnReturn: false }), limit);
  const { body } = req;
  if (body === undefined) return 'taken';
  return typeof body === 'string' || Buffer.isBuffer(body) ? { text: body.toString() } : { parsed: body };
}

function send(req: IncomingMessage, res: ServerResponse, reply: Reply): void {
  if (res.headersSent || res.destroyed) return;
  const body = Buffer.from(reply.body);
  const refusesBody = reply.status === 413;
  if (refusesBody) res.shouldKeepAlive = false;
  if (reply.status !== 304 && reply.status !== 204) res.setHeader('Content-Length', body.length);
  if (reply.cookies?.length) res.setHeader('Set-Cookie', reply.cookies);
  res.writeHead(reply.status, reply.headers);
  if (refusesBody) {
    res.on('error', () => {});
    res.write(body);
    linger(req, () => res.end());
  } else res.end(req.method === 'HEAD' || reply.status === 304 ? undefined : body);
}

function open(req: IncomingMessage, res: ServerResponse, headers: Record<string, string>): Connection {
  res.on('error', () => {});
  // The socket of HTTP/2 belongs to all streams of its session.
  const ownsSocket = req.httpVersionMajor < 2;
  if (ownsSocket) {
    req.socket.setKeepAlive(true, TCP_KEEP_ALIVE);
    req.socket.setNoDelay(true);
    req.socket.setTimeout(0);
    // A stream's connection is never used again: without chunks each write is one piece, and costs what a raw
    // socket's does.
    res.removeHeader('Transfer-Encoding');
    res.setHeader('Connection', 'close');
  }
  res.writeHead(200, headers);
  res.flushHeaders();
  // ServerResponse corks its socket and schedules an uncork for each write, a third of what a delivery costs. Without
  // chunks its bytes are the socket's. (Another response of a pipelined request may own the socket yet.)
  const raw = ownsSocket && res.socket === req.socket && !res.chunkedEncoding;
  return new NodeConnection(res, req.socket, raw);
}
