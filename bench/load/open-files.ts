import { spawnSync } from 'node:child_process';

/** What a process has open beside its streams. */
const BESIDE = 200;

interface UserLimits {
  userLimits?: { open_files?: { hard: number | 'unlimited' } };
}

/** How many files a process of ours may open. Node raises its own limit to the hard one when it starts. */
function hardLimit(): number {
  const { userLimits } = process.report.getReport() as UserLimits;
  const hard = userLimits?.open_files?.hard;
  return typeof hard === 'number' ? hard : Number.POSITIVE_INFINITY;
}

/**
 * What a server with so many streams has to be started by: nothing where the limit allows them, else `prlimit`, which root may use to
 * raise it.
 *
 * @returns the limit that is to be set; undefined: none need be. As a string why it cannot be done, with what must be set
 */
export function openFilesFor(streams: number): number | undefined | string {
  const needed = streams + BESIDE;
  const hard = hardLimit();
  if (needed <= hard) return undefined;
  if (spawnSync('prlimit', [`--nofile=${needed}:${needed}`, 'true'], { stdio: 'ignore' }).status === 0) return needed;
  return `a process must be allowed ${needed} open files (it is allowed ${hard}): ulimit -Hn ${needed} as root, LimitNOFILE= of systemd, --ulimit nofile= of Docker`;
}
