#!/usr/bin/env node
import { CommanderError } from 'commander';
import { reportFailure, UsageError } from './failure.js';
import { createProgram } from './program.js';

/** 0 done, 1 failed, 2 wrong usage. */
async function run(argv: string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv);
    return 0;
  } catch (error) {
    // Commander has already printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    reportFailure(error, { verbose: argv.includes('--verbose') });
    return error instanceof UsageError ? 2 : 1;
  }
}

// `djr tail | head` closes our output early: that is how it is told to end, and no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exitCode = 0;
});

process.exitCode = await run(process.argv);
