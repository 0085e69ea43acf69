export type { Queryable } from './database/connect.js';
export type { Publication } from './database/publisher.js';
export type { ClientInfo } from './delivery/client.js';
export type { BeforeSend, OnReceive } from './delivery/hooks.js';
export { DjrError } from './errors.js';
export type { Detail, Event, EventMap, EventOf, Scope } from './event.js';
export type { FetchContext, FetchHandler } from './http/fetch.js';
export type { Health } from './http/health.js';
export type { RequestContext } from './http/incoming.js';
export type { HandlerContext, NodeHandler } from './http/node.js';
export type { Logger } from './logger.js';
export type {
  AdminAuthorize,
  Authenticate,
  Authorize,
  ClientAddress,
  HealthAccess,
  Login,
  RealtimeOptions,
  StopSignal,
  UserId,
} from './options.js';
export { createRealtime } from './realtime.js';
export type { Realtime } from './realtime-interface.js';
export type { ScriptTagOptions } from './script-tag.js';
