import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { subcommand } from '../command.js';

/** The benchmark is a program of its own (bench/ in the source), as what it measures must not share a process with it. */
const built = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const source = fileURLToPath(new URL('../../../bench/main.ts', import.meta.url));

export function benchCommand(program: Command): void {
  subcommand(program, 'bench', 'measure delay and throughput, beside the least that is possible')
    .description(
      'Measures the way of an event from the publish call to the frame that a client has parsed, deliveries a second, ' +
        'publishers side by side and more; in the same run floors: a raw NOTIFY, LISTEN and socket write, a bare INSERT. ' +
        'Without --database-url it runs on a PostgreSQL of its own; on a server of yours it makes databases ' +
        'djr_bench_… and drops them again, and touches no other.',
    )
    .argument('[options...]', 'what bench -- --help explains')
    .allowUnknownOption()
    .addHelpText(
      'after',
      `
Examples:
  $ djr bench --list                            what it measures
  $ djr bench -- --help                       its options
  $ djr bench --scenario one-client fan-out
  $ djr bench --database-url "$DATABASE_URL" --out before
  $ djr bench --compare before/result.json`,
    )
    .action(run);
}

async function run(_options: string[], { verbose }: { verbose?: boolean }, command: Command): Promise<void> {
  const args = [existsSync(built) ? built : source, ...command.args, ...(verbose ? ['--verbose'] : [])];
  const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: 'inherit' });
  // Ctrl-C reaches the child as well. It cleans up, and this process ends when the child has ended.
  const wait = () => {};
  process.on('SIGINT', wait);
  const stop = () => child.kill();
  process.once('SIGTERM', stop);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (status) => resolve(status ?? 1));
  });
  process.off('SIGINT', wait);
  process.off('SIGTERM', stop);
  // The child has printed its errors, and its exit status tells a lost event from a wrong option.
  if (code !== 0) process.exit(code);
}
