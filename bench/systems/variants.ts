import type { Statements } from '../load/publisher.js';
import { CHANNEL, type SystemOptions } from './system.js';

/** One way of doing the work of a scenario: who serves, and how is published. */
export interface Variant {
  name: string;
  /** Role in child.ts; none where only publishing is measured. */
  system?: string;
  /** Results are given as ratios to these. */
  floor?: boolean;
  statements: Statements;
  options?: Partial<SystemOptions>;
  /** SQL run in its database before. */
  setup?: string[];
  /** Clients, where the scenario varies them. */
  clients?: number;
  /** A runtime stands beside it, and what is published is none of its events. */
  unheard?: boolean;
  /** SQL by which the rows of a bulk are read once, as whoever delivers them must. */
  reads?: string;
  /** Topics among which the clients are dealt out. */
  topics?: number;
  /** Its clients may be more than a process is allowed to have files open. */
  crowded?: boolean;
  /** Arguments for the server's node. */
  flags?: string[];
  /** One more header of each client, with `USER` for its number. */
  header?: string;
}

const INSERT_FLOOR = `insert into floor.event (scope, type, detail) values ('public', 'bench', $1::jsonb)`;
const BULK_FLOOR = `insert into floor.event (scope, type, detail)
  select 'public', 'bench', e from jsonb_array_elements($1::jsonb) e`;

/** A NOTIFY and nothing else. */
const notify: Statements = {
  global: `select pg_notify('${CHANNEL}', E'\\t' || $1)`,
  user: `select pg_notify('${CHANNEL}', $2 || E'\\t' || $1)`,
  many: `select count(pg_notify('${CHANNEL}', E'\\t' || e::text)) from jsonb_array_elements($1::jsonb) e`,
};

/** The insert that djr does too, and a NOTIFY, in one statement. */
const insertAndNotify: Statements = {
  global: `with e as (${INSERT_FLOOR} returning detail) select pg_notify('${CHANNEL}', E'\\t' || detail::text) from e`,
  user: `with e as (insert into floor.event (scope, user_id, type, detail) values ('user', $2, 'bench', $1::jsonb)
    returning user_id, detail) select pg_notify('${CHANNEL}', user_id || E'\\t' || detail::text) from e`,
  many: `with e as (${BULK_FLOOR} returning detail) select count(pg_notify('${CHANNEL}', E'\\t' || detail::text)) from e`,
};

const publish: Statements = {
  global: `select djr.publish_global('bench', $1::jsonb)`,
  user: `select djr.publish($2::text, 'bench', $1::jsonb)`,
  many: BULK_FLOOR.replace('floor.event', 'djr.event'),
};

/** Publishing by INSERT, without a function. */
export const inserts: Statements = { ...publish, global: INSERT_FLOOR.replace('floor.event', 'djr.event') };

const viaSocketIo = (rooms: string) =>
  `select pg_notify('socket.io#/', json_build_object('uid', 'emitter', 'type', 3, 'nsp', '/', 'data', json_build_object(
    'packet', json_build_object('type', 2, 'nsp', '/', 'data', json_build_array('bench', EVENT)),
    'opts', json_build_object('rooms', ${rooms}, 'except', json_build_array(), 'flags', json_build_object())))::text)`;
const toAll = viaSocketIo('json_build_array()');
const toUser = viaSocketIo(`json_build_array('user:' || $2)`);
const toRoom = viaSocketIo(`json_build_array('room:' || $2)`);

export const rawFloor: Variant = { name: 'raw floor', system: 'floor', floor: true, statements: notify };
export const insertFloor: Variant = {
  name: 'floor with insert',
  system: 'floor',
  floor: true,
  statements: insertAndNotify,
};
export const httpFloor: Variant = { name: 'node:http floor', system: 'http', floor: true, statements: notify };
export const djr: Variant = { name: 'djr', system: 'djr', statements: publish };
/** The bulk call instead of a plain INSERT of many rows. */
export const djrMany: Variant = {
  ...djr,
  name: 'djr.publish_many',
  statements: {
    ...publish,
    many: 'select count(*) from djr.publish_many($1::jsonb)',
    wrap: ['{"scope":"public","type":"bench","detail":', '}'],
  },
};
export const betterSse: Variant = { name: 'better-sse', system: 'better-sse', statements: notify };
export const socketIo: Variant = {
  name: 'socket.io + postgres adapter',
  system: 'socket.io',
  statements: {
    global: toAll.replace('EVENT', '$1::json'),
    user: toUser.replace('EVENT', '$1::json'),
    many: `select count(x) from jsonb_array_elements($1::jsonb) e, lateral (${toAll.replace('EVENT', 'e')}) x`,
  },
};

/** Publishing alone. */
export const bareInsert: Variant = {
  name: 'bare INSERT',
  floor: true,
  statements: { global: INSERT_FLOOR, many: BULK_FLOOR },
};
export const insertNotify: Variant = { name: 'INSERT and NOTIFY', floor: true, statements: insertAndNotify };

/** djr with settings, options or a name of its own. */
export const djrWith = (name: string, setup: string[], options: Variant['options'] = {}): Variant => ({
  ...djr,
  name,
  setup,
  options,
});

/** Each event is for one topic of so many. */
export const djrTopics = (name: string, topics: number): Variant => ({
  ...djrWith(name, [], { topics: true }),
  topics,
  statements: { ...publish, user: `select djr.publish_topic('room:' || $2, 'bench', $1::jsonb)` },
});

/** The same with rooms. */
export const socketIoRooms = (name: string, topics: number): Variant => ({
  ...socketIo,
  name,
  topics,
  options: { topics: true },
  statements: { ...socketIo.statements, user: toRoom.replace('EVENT', '$1::json') },
});

/** Commits that take 2 ms, as on a cloud disk. */
const SLOW_COMMITS = `do $$ begin
  execute format('alter database %I set commit_delay = 2000', current_database());
  execute format('alter database %I set commit_siblings = 0', current_database());
end $$`;

export const withSlowCommits = (variant: Variant): Variant => ({
  ...variant,
  setup: [...(variant.setup ?? []), SLOW_COMMITS],
});

/**
 * Ceilings: the least that work of this shape costs in PostgreSQL, so that what is missing to 1 is djr's own. What a
 * function costs that checks nothing and only inserts:
 */
export const insertingFunction: Variant = {
  name: 'function that inserts',
  floor: true,
  setup: [
    `create function floor.publish(type text, detail jsonb) returns bigint language plpgsql security definer
      set search_path = pg_catalog, pg_temp as $$
      declare _id bigint;
      begin
        insert into floor.event (scope, type, detail) values ('public', publish.type, publish.detail) returning id into _id;
        return _id;
      end $$`,
  ],
  statements: { global: `select floor.publish('bench', $1::jsonb)` },
};

/** What an insert costs that some trigger looks at, with a runtime beside it that has nothing to do. */
export const emptyTrigger: Variant = {
  ...djr,
  name: 'INSERT with an empty trigger',
  floor: true,
  unheard: true,
  setup: [
    `create function floor.nothing() returns trigger language plpgsql as $$ begin return null; end $$`,
    `create trigger nothing after insert on floor.event referencing new table as added
      for each statement execute function floor.nothing()`,
  ],
  statements: { global: INSERT_FLOOR },
};

/** A bulk that is stored and read once: nobody can deliver rows without reading them. */
export const bulkRead: Variant = {
  ...bareInsert,
  name: 'bulk INSERT, read once',
  reads: 'select id, scope, type, user_id, detail, created_at from floor.event',
};
