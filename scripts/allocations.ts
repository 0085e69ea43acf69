/**
 * How many bytes of V8's heap a delivery takes, garbage included: the same on a busy machine as on a quiet one.
 *
 *   npm run bench:allocations             fails where a delivery takes 3 % more than bench/allocations.json says
 *   npm run bench:allocations -- --write  writes what it counted
 *
 * It is the benchmark's scenario `allocations`, of which only what djr delivers is held to a figure.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Report } from '../bench/report/report.js';
import { hold } from './hold.js';

const ATTEMPTS = 3;

const out = await mkdtemp(path.join(tmpdir(), 'djr-allocations-'));
const counts: Record<string, number> = {};
try {
  const args = ['dist/bench/main.js', '--scenario', 'allocations', '--out', out];
  for (let attempt = 1; ; attempt += 1) {
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status === 0) break;
    // V8 may collect when it likes, and what it took away was not counted.
    if (attempt === ATTEMPTS) throw new Error(`the benchmark ended with ${status}: ${stderr}`);
  }
  const report = JSON.parse(await readFile(path.join(out, 'result.json'), 'utf8')) as Report;
  for (const { name, floor, metrics } of report.scenarios[0]!.variants) {
    if (!floor) counts[`a delivery ${name}`] = Math.round(metrics.allocated!);
  }
} finally {
  await rm(out, { recursive: true, force: true });
}

await hold(new URL('../bench/allocations.json', import.meta.url), counts, 'bytes');
