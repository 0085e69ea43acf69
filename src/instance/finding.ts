/** How one check of an instance's health came out. `unknown`: nothing has told yet. */
export type CheckState = 'ok' | 'warning' | 'failing' | 'unknown';

/** What one stage says of its own health: `healthz` puts the findings of all stages together. */
export interface Finding {
  /** Which check it is: the name under `checks` in what `healthz` answers. */
  readonly check: string;
  readonly state: CheckState;
  /** Why it is `warning` or `failing`: a clause for people who run the app, without secrets. */
  readonly reason?: string;
}
