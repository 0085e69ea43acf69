import { DjrError } from '../lib/errors.js';
import type { Database } from '../source/postgres/postgres-source.js';

export type CheckState = 'ok' | 'warning' | 'failing' | 'unknown';

/** What is looked at, each by itself. */
export interface HealthChecks {
  /** The listening connection is there; a warning where LISTEN is not heard. */
  listener: CheckState;
  /** Sweeps succeed, and on time. */
  sweep: CheckState;
  /** The pool's last question was answered. */
  database: CheckState;
  /** How full the NOTIFY queue is. Never failing: it concerns publishers, and no instance would be better off. */
  queue: CheckState;
  /** The schema is there, and this role may use it. */
  schema: CheckState;
  /** Events go on: none has been on its way for longer than a hook may take. */
  delivery: CheckState;
}

/** What `healthz` says. */
export interface Health {
  ok: boolean;
  /** Why not; empty when all is well. */
  problems: string[];
  /** What works, but worse than it should. */
  warnings: string[];
  checks: HealthChecks;
  /** How full the NOTIFY queue is, 0 to 1; null: not known. */
  queueUsage: number | null;
}

export interface HealthFacts {
  database: Database | undefined;
  stopping: boolean;
  /** It serves, and is to get no new clients. */
  draining: boolean;
  /** Why the last start failed for good. */
  startFailure: unknown;
  /** Milliseconds. */
  sweepInterval: number;
  /** Milliseconds for which one event has been on its way while all others wait. */
  stuckFor: number;
  /** Milliseconds that a hook may take for it. */
  hookTimeout: number;
}

/** Milliseconds beyond what a hook may take, after which delivery stands still. */
const STUCK = 10_000;

/** NOTIFY queue: from here on somebody should look; from here on PostgreSQL itself warns. */
const QUEUE_FILLS = 0.1;
const QUEUE_HALF_FULL = 0.5;

/** No such schema, table, column, function; no right to it. */
const SCHEMA_ERRORS = new Set(['3F000', '42P01', '42703', '42883', '42501', 'DJR_SCHEMA']);

const POOLED = 'LISTEN is not heard: a pooler in transaction mode is in the way; events are found by sweeping';

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Whether an instance can serve its clients, from what its stages remember: it asks the database nothing. */
export function checkHealth(facts: HealthFacts): Health {
  const { database, stopping, draining, startFailure, sweepInterval, stuckFor, hookTimeout } = facts;
  const problems: string[] = [];
  const warnings: string[] = [];
  const checks: HealthChecks = {
    listener: 'unknown',
    sweep: 'unknown',
    database: 'unknown',
    queue: 'unknown',
    schema: 'unknown',
    delivery: 'unknown',
  };
  const fails = (check: keyof HealthChecks, problem: string) => {
    checks[check] = 'failing';
    problems.push(problem);
  };
  const warns = (check: keyof HealthChecks, warning: string) => {
    checks[check] = 'warning';
    warnings.push(warning);
  };

  if (stopping) problems.push('shutting down');
  else if (draining) problems.push('draining: it serves its clients and is about to stop');
  else if (startFailure !== undefined) {
    const reason = startFailure instanceof DjrError ? startFailure.message : codeOf(startFailure);
    const check = SCHEMA_ERRORS.has(codeOf(startFailure) ?? '') ? 'schema' : 'database';
    fails(check, `the start failed: ${reason ?? 'see the log'}`);
  } else if (!database) problems.push('not started');
  else {
    const { listener, reporter, sweeper } = database;
    if (listener.pooled) warns('listener', POOLED);
    else if (!listener.connected) fails('listener', 'the listening connection is lost');
    else if (listener.heard === false) {
      warns('listener', POOLED);
    } else checks.listener = 'ok';

    const age = performance.now() - sweeper.lastSuccess;
    if (sweeper.count === 0) fails('sweep', 'no sweep has succeeded yet');
    else if (age > Math.max(5000, 5 * sweepInterval)) {
      fails('sweep', `the last sweep was ${Math.round(age / 1000)} s ago`);
    } else checks.sweep = 'ok';

    const code = codeOf(sweeper.failure) ?? '';
    if (code === '42501')
      fails('schema', `this role lacks a right to the schema djr (${code}): djr.grant_server gives it`);
    else if (SCHEMA_ERRORS.has(code)) fails('schema', `the schema djr is gone, or changed (${code})`);
    else if (sweeper.count > 0) checks.schema = 'ok';

    // While NOTIFY and sweeps go another way than the pool, every instance would leave the load balancer for nothing.
    const delivers = listener.heard === true && checks.sweep === 'ok';
    if (reporter.answered === false && delivers) {
      warns('database', 'the pool does not answer: events are delivered, and resumes from storage are not');
    } else if (reporter.answered === false) fails('database', 'the database does not answer');
    else if (reporter.answered) checks.database = 'ok';

    if (stuckFor > hookTimeout + STUCK) {
      fails(
        'delivery',
        `no event has been delivered for ${Math.round(stuckFor / 1000)} s: one before them does not end`,
      );
    } else if (sweeper.count > 0) checks.delivery = 'ok';

    const usage = reporter.queueUsage;
    if (usage !== undefined) {
      const full = `the NOTIFY queue is ${(usage * 100).toFixed(1)} % full`;
      if (usage >= QUEUE_HALF_FULL) warns('queue', `${full}: when it is full every publish fails; see djr doctor`);
      else if (usage >= QUEUE_FILLS) warns('queue', `${full}: a session that listens is in an open transaction`);
      else checks.queue = 'ok';
    }
  }
  return { ok: problems.length === 0, problems, warnings, checks, queueUsage: database?.reporter.queueUsage ?? null };
}
