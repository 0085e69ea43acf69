#!/usr/bin/env node
import { CommanderError } from 'commander';
import { allowClosedOutput } from './closed-output.js';
import { reportFailure, UsageError } from './failure.js';
import { createProgram } from './program.js';

/** Exit statuses: 0 done, 1 failed, 2 wrong usage. */
async function run(argv: string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv);
    return 0;
  } catch (error) {
    // Commander has already printed its message or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    reportFailure(error, { verbose: argv.includes('--verbose') });
    return error instanceof UsageError ? 2 : 1;
  }
}

allowClosedOutput();
process.exitCode = await run(process.argv);
