import { type Command, InvalidArgumentError, Option } from 'commander';
import type pg from 'pg';
import { DjrError } from '../lib/errors.js';
import { newClient } from '../postgres/connect.js';
import { UsageError } from './failure.js';

export interface CommonOptions {
  verbose?: boolean;
}

export interface DatabaseOptions extends CommonOptions {
  databaseUrl?: string;
}

export const DATABASE_ENVIRONMENT = `  DATABASE_URL          the database, where --database-url is not given
  PGHOST, PGDATABASE …  libpq's variables, where neither is`;

const DEFAULT_PORT = 8000;

/** Makes a subcommand, with the options that all subcommands have. */
export function subcommand(program: Command, usage: string, summary: string): Command {
  return program.command(usage).summary(summary).option('--verbose', 'on an error, print all that is known of it');
}

export function databaseOption(): Option {
  return new Option('-d, --database-url <url>', 'the database, as postgres://USER:PASSWORD@HOST:PORT/NAME');
}

export function portOption(): Option {
  return new Option('-p, --port <number>', 'where to listen; 0 takes any port that is free')
    .env('PORT')
    .default(DEFAULT_PORT)
    .argParser((text) => wholeNumber(text, { max: 65_535 }));
}

export function hostOption(): Option {
  return new Option('--host <address>', 'the address to listen on; 0.0.0.0 for all of this machine').default(
    '127.0.0.1',
  );
}

export function wholeNumber(text: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number) || number < min || number > max) {
    throw new InvalidArgumentError(`It must be a whole number, ${min} to ${max}.`);
  }
  return number;
}

/**
 * Reads an address. The command accepts what `createRealtime` accepts: pg itself parses the address, which may be a socket's folder or have
 * `?host=`. But pg accepts any scheme, and takes a text without one for the name of a database on a host `base`; those are refused here.
 */
function checkAddress(source: string, url: string): void {
  try {
    if (!/^(postgres(ql)?:\/\/|socket:|\/)/.test(url)) throw new Error('it must begin with postgres://');
    newClient(url);
  } catch (error) {
    if (error instanceof DjrError) throw new UsageError(error.message, error.hint ?? '');
    throw new UsageError(
      `${source} must be a PostgreSQL address (${(error as Error).message}).`,
      'Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, or postgres://USER@/DATABASE?host=/FOLDER/OF/SOCKET.',
    );
  }
}

/**
 * Finds the database: by the option, else by `DATABASE_URL`, else by libpq's variables, which pg reads itself.
 *
 * @throws UsageError if none of them is set
 */
export function databaseConfig(options: DatabaseOptions, environment = process.env): pg.ClientConfig {
  const [source, url] = options.databaseUrl
    ? ['--database-url', options.databaseUrl]
    : ['DATABASE_URL', environment.DATABASE_URL];
  const config: pg.ClientConfig = { application_name: 'djr', connectionTimeoutMillis: 10_000 };
  if (url) {
    checkAddress(source, url);
    return { ...config, connectionString: url };
  }
  if (['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER'].some((name) => environment[name])) return config;
  throw new UsageError(
    'No database is given.',
    'Set DATABASE_URL=postgres://USER:PASSWORD@HOST:PORT/DATABASE, or give it with --database-url.',
  );
}
