import type pg from 'pg';

/** What one check found. */
export interface Finding {
  readonly check: string;
  /** `warning`: it works, and could hurt later. */
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** The one thing to do; empty where nothing is. */
  readonly todo: string;
}

export type Found = Omit<Finding, 'check'>;
/** @param openSecond - makes another connection to the same address */
export type Check = (client: pg.Client, openSecond: () => Promise<pg.Client>) => Promise<Found>;

export const ok = (found: string): Found => ({ state: 'ok', found, todo: '' });
export const warning = (found: string, todo: string): Found => ({ state: 'warning', found, todo });
export const failed = (found: string, todo: string): Found => ({ state: 'failed', found, todo });
