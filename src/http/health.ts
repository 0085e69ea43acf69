/** What `healthz` says. */
export interface Health {
  ok: boolean;
  /** Why not; empty when all is well. */
  problems: string[];
  /** What works, but worse than it should. */
  warnings: string[];
}
