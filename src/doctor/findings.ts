import type pg from 'pg';

/** The result of one check. */
export interface Finding {
  readonly check: string;
  /** `warning`: it works now, but may cause harm later. */
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** The one thing to do; empty if there is nothing to do. */
  readonly todo: string;
}

export type Found = Omit<Finding, 'check'>;
/** @param openSecond - opens another connection to the same address */
export type Check = (client: pg.Client, openSecond: () => Promise<pg.Client>) => Promise<Found>;

export const ok = (found: string): Found => ({ state: 'ok', found, todo: '' });
export const warning = (found: string, todo: string): Found => ({ state: 'warning', found, todo });
export const failed = (found: string, todo: string): Found => ({ state: 'failed', found, todo });
