import { readFile, writeFile } from 'node:fs/promises';

/** What a machine's load does not change is counted, and may grow by so much: a count moves by about 1 % between runs. */
const TOLERANCE = 0.03;

/**
 * Holds counts against the committed ones: prints how they stand to them, and fails where one has grown. With `--write` it commits to the
 * new ones.
 *
 * @param unit - what is counted
 */
export async function hold(file: URL, counts: Record<string, number>, unit: string): Promise<void> {
  if (process.argv.includes('--write')) {
    await writeFile(file, `${JSON.stringify(counts, null, 2)}\n`);
    return;
  }
  const committed = JSON.parse(await readFile(file, 'utf8')) as Record<string, number>;
  for (const [name, count] of Object.entries(counts)) {
    const before = committed[name];
    if (before === undefined) throw new Error(`${file.pathname} has no "${name}": --write writes what was counted`);
    const ratio = count / before;
    const verdict = ratio > 1 + TOLERANCE ? 'FAIL' : 'pass';
    process.stdout.write(
      `${name}: ${count.toLocaleString('en')} ${unit}, ${ratio.toFixed(3)} of the committed figure: ${verdict}\n`,
    );
    if (verdict === 'FAIL') process.exitCode = 1;
  }
}
