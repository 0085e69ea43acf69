import { createServer } from 'node:http';
import { createServer as createHttp2, createSecureServer } from 'node:http2';
import { serve } from '@hono/node-server';
import express from 'express';
import { fastify } from 'fastify';
import { createApp, defineEventHandler, fromNodeMiddleware } from 'h3';
import { Hono } from 'hono';
import Koa from 'koa';
import { createRealtime } from '../../src/index.js';

// Compiled and never run: each way to mount a runtime, without a cast.
const realtime = createRealtime({ authenticate: (_request, { req }) => req?.socket.remoteAddress ?? null });

export const mounts: unknown[] = [
  createServer(realtime.handler),
  createServer((req, res) => realtime.handler(req, res, { userId: 7 })),
  createServer((req, res) => realtime.handler(req, res, () => res.end(), { userId: null, expires: new Date() })),
  createHttp2(realtime.handler),
  createSecureServer({ allowHTTP1: true }, realtime.handler),
  createSecureServer({ allowHTTP1: true }, (req, res) => realtime.handler(req, res, { userId: 'ada' })),
  express().use(realtime.handler),
  express().use('/realtime', express.json(), realtime.handler),
  express().all('/realtime/*path', realtime.handler),
  express().use((req, res, next) => realtime.handler(req, res, next, { userId: req.get('x-user') })),
  new Koa().use(realtime.handler),
  new Koa().use((context, next) => realtime.handler(context.req, context.res, next, { userId: context.get('x-user') })),
  fastify().all('/realtime/*', (request, reply) => {
    reply.hijack();
    return realtime.handler(request.raw, reply.raw, { body: request.body, userId: request.headers.host });
  }),
  createApp().use(fromNodeMiddleware(realtime.handler)),
  createApp().use(defineEventHandler(({ node: { req, res } }) => realtime.handler(req, res, { userId: 7n }))),
  serve({ fetch: realtime.fetch }),
  new Hono().all('/realtime/*', (context) => realtime.fetch(context.req.raw, { userId: context.req.header('x-user') })),
  new Hono().mount('/', realtime.fetch),
  // @ts-expect-error: a user that is none
  createServer((req, res) => realtime.handler(req, res, { userId: { id: 7 } })),
  // @ts-expect-error: an end that is none
  createServer((req, res) => realtime.handler(req, res, { userId: 7, expires: '1 h' })),
];
