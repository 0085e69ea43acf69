/** The result of one check of an instance's health. `unknown`: nothing is known yet. */
export type CheckState = 'ok' | 'warning' | 'failing' | 'unknown';

/** What one stage reports about its own health. `healthz` combines the findings of all stages. */
export interface Finding {
  /** The name of the check, as it stands under `checks` in the answer of `healthz`. */
  readonly check: string;
  readonly state: CheckState;
  /** Why it is `warning` or `failing`: a clause for the people who operate the app, without secrets. */
  readonly reason?: string;
}
