import type { CheckState, Finding } from '../instance/finding.js';

export type { CheckState };

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

/** Puts the findings of all stages together. */
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

/** An instance that serves nobody now, whatever its stages would say: it has not started, or is about to end. */
export const notServing = (problem: string): Health => ({ ...healthOf([], null), ok: false, problems: [problem] });
