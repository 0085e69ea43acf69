/** Ids without a gap, from the first to the last. */
export type IdRun = readonly [first: number, last: number];

/** Event ids come from one sequence and lie close together: thousands of them are a few runs. */
export function toRuns(ids: Iterable<number>): IdRun[] {
  const runs: [number, number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && id <= run[1] + 1) run[1] = Math.max(run[1], id);
    else runs.push([id, id]);
  }
  return runs;
}

export function fromRuns(runs: readonly IdRun[]): Set<number> {
  const ids = new Set<number>();
  for (const [first, last] of runs) for (let id = first; id <= last; id += 1) ids.add(id);
  return ids;
}
