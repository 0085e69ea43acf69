import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, platform } from 'node:os';

/** Why processes cannot be given processors of their own here; undefined: they can. */
export function hindranceToApart(): string | undefined {
  if (platform() !== 'linux') return 'processes are given processors of their own on Linux alone';
  if (availableParallelism() < 2) return 'it needs two processors';
  if (spawnSync('taskset', ['--version']).error) return 'taskset must be there (util-linux)';
  return undefined;
}

/**
 * Gives one half of the processors to some processes and the other half to others, with all that they have started and will start: as if
 * they were on two machines.
 *
 * @param far - they may have started some of the near ones
 * @returns ends it
 */
export function setApart(near: readonly number[], far: readonly number[]): () => void {
  const all = Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
  const half = Math.floor(all.length / 2);
  move(far, all.slice(half));
  move(near, all.slice(0, half));
  return () => move([...far, ...near], all);
}

function move(pids: readonly number[], cpus: readonly number[]): void {
  const parents = readParents();
  for (const pid of pids.flatMap((one) => withChildren(one, parents))) {
    // It fails for one that has ended meanwhile, which need not be moved.
    spawnSync('taskset', ['-a', '-c', '-p', cpus.join(), String(pid)]);
  }
}

/** The server of PostgreSQL that has started this process; undefined: it is on another machine. */
export function serverOf(backend: number): number | undefined {
  try {
    if (readFileSync(`/proc/${backend}/comm`, 'latin1').trim() !== 'postgres') return undefined;
    return readParents().get(backend);
  } catch {
    return undefined;
  }
}

function withChildren(pid: number, parents: ReadonlyMap<number, number>): number[] {
  const children = [...parents].flatMap(([child, parent]) => (parent === pid ? [child] : []));
  return [pid, ...children.flatMap((child) => withChildren(child, parents))];
}

/** By process, which one has started it. */
function readParents(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The name may have blanks; behind its closing bracket the third field begins.
      const fields = readFileSync(`/proc/${name}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // It has ended.
    }
  }
  return parents;
}
