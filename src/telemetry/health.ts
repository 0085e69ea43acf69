import type { CheckState, Finding } from '../instance/finding.js';

export type { CheckState };

/** The checks of an instance's health. */
export interface HealthChecks {
  /** There is a listening connection; a warning if LISTEN is not heard. */
  listener: CheckState;
  /** Sweeps succeed, and on time. */
  sweep: CheckState;
  /** The database answered the last question on the pool. */
  database: CheckState;
  /** The NOTIFY queue is not too full. It never fails, as the queue concerns publishers and no other instance would be better off. */
  queue: CheckState;
  /** The schema exists, and this role may use it. */
  schema: CheckState;
  /** Events are delivered: the delivery of none has taken longer than a hook may. */
  delivery: CheckState;
}

/** The health of an instance, as `healthz` shows it. */
export interface Health {
  ok: boolean;
  /** The reasons why it is not ok; empty if it is. */
  problems: string[];
  /** What works, but not as well as it should. */
  warnings: string[];
  checks: HealthChecks;
  /** How full the NOTIFY queue is, 0 to 1; null: not known. */
  queueUsage: number | null;
}

/** Combines the findings of all stages. */
export function healthOf(findings: readonly Finding[], queueUsage: number | null): Health {
  const checks: HealthChecks & Record<string, CheckState> = {
    listener: 'unknown',
    sweep: 'unknown',
    database: 'unknown',
    queue: 'unknown',
    schema: 'unknown',
    delivery: 'unknown',
  };
  for (const { check, state } of findings) checks[check] = state;
  const reasons = (state: CheckState) =>
    findings.filter((finding) => finding.state === state).map(({ check, reason }) => reason ?? check);
  const problems = reasons('failing');
  return { ok: problems.length === 0, problems, warnings: reasons('warning'), checks, queueUsage };
}

/** The health of an instance that should get no clients whatever its stages say: it has not started, or is about to end. */
export const notServing = (problem: string): Health => ({ ...healthOf([], null), ok: false, problems: [problem] });
