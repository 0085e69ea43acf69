export type { ClientInfo } from './clients/client.js';
export type { ConsumeContext } from './consume/batch.js';
export type { ConsumedEvent, ConsumedEventOf } from './consume/consumed-event.js';
export type { Consumption } from './consume/consumers.js';
export type { ConsumeOptions } from './consume/options.js';
export type { Detail, Event, EventMap, EventOf, EventsOf, Scope } from './event/event.js';
export type { UserId } from './event/user-id.js';
export type { FetchContext, FetchHandler } from './http/adapters/fetch.js';
export type { HandlerContext, NodeHandler } from './http/adapters/node.js';
export type { RequestContext } from './http/incoming.js';
export type { ScriptTagOptions } from './http/script-tag.js';
export { DjrError } from './lib/errors.js';
export type { Logger } from './lib/logger.js';
export type { Queryable } from './postgres/connect.js';
export type { Publication } from './publish/publisher.js';
export type { SqlClient, SqlStatement } from './publish/sql-client.js';
export { createRealtime } from './realtime.js';
export type { Realtime } from './realtime-interface.js';
export type {
  AdminAuthorize,
  Authenticate,
  Authorize,
  ClientAddress,
  HealthAccess,
  Login,
  RealtimeOptions,
  RelayOptions,
  StopSignal,
} from './realtime-options.js';
export type { BeforeSend, OnReceive } from './stream/hooks.js';
export type { Health } from './telemetry/health.js';
