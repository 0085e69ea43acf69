import { spawnSync } from 'node:child_process';
import path from 'node:path';

/**
 * The lines of each room that differ from a revision, as Stryker takes them: `src/event/position.ts:12-14`.
 *
 * @param {string} base
 * @param {Record<string, import('./rooms.mjs').Room>} rooms
 */
export function changedLines(base, rooms) {
  const { status, stdout, stderr } = spawnSync('git', ['diff', '--unified=0', '--diff-filter=AM', base, '--', 'src'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`--base must be a revision of this repository (${base}): ${stderr.trim()}`);
  /** @type {[file: string, lines: string][]} */
  const changes = [];
  let file = '';
  for (const line of stdout.split('\n')) {
    if (line.startsWith('+++ b/')) file = line.slice(6);
    const [, first, count = '1'] = /^@@ \S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
    if (first && count !== '0') changes.push([file, `${file}:${first}-${Number(first) + Number(count) - 1}`]);
  }
  return Object.entries(rooms)
    .map(([name, { mutate, tests, units }]) => ({
      name: `changed-${name}`,
      tests,
      units,
      mutate: changes
        .filter(([file]) => mutate.some((glob) => glob === file || glob === `${path.dirname(file)}/*.ts`))
        .map(([, lines]) => lines),
    }))
    .filter(({ mutate }) => mutate.length > 0);
}
