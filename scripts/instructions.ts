/**
 * How many instructions a publish costs PostgreSQL, counted by callgrind: the same on a busy machine as on a quiet one.
 *
 *   npm run bench:instructions             fails where a statement costs 3 % more than bench/instructions.json says
 *   npm run bench:instructions -- --write  writes what it counted
 *
 * It needs valgrind. The server runs in single-user mode; what a session costs at its start falls out of the difference
 * of two runs.
 */
import { spawnSync } from 'node:child_process';
import pg from 'pg';
import { migrate } from '../src/install/migrate.js';
import { findBinaries, startEmbedded } from '../src/testing/embedded.js';
import { hold } from './hold.js';

const [FEW, MANY] = [50, 350];

const STATEMENTS: Record<string, string> = {
  'djr.publish': `select djr.publish(42, 'order_paid', '{"total": "19.90"}');`,
  'djr.publish_topic': `select djr.publish_topic('room:7', 'message', '{"text": "hello"}');`,
  'INSERT into djr.event': `insert into djr.event (scope, type, detail) values ('public', 'news', '{"n": 1}');`,
  'bare INSERT': `insert into bare.event (scope, type, detail) values ('public', 'news', '{"n": 1}');`,
};

/** The table of the floor: the columns and indexes of djr.event, without its triggers. */
const BARE = `create schema bare; create table bare.event (like djr.event including all)`;

const server = await startEmbedded({ settings: { fsync: 'off' } });
const counts: Record<string, number> = {};
try {
  await migrate(server.url);
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(BARE);
  await client.query("select djr.configure(delivery => 'notify')");
  await client.end();
  await server.stop();
  const { postgres, owner } = await findBinaries(import.meta.url);

  const instructions = (statement: string, times: number): number => {
    const settings = ['fsync=off', 'autovacuum=off', 'jit=off'].flatMap((setting) => ['-c', setting]);
    const { stderr, error } = spawnSync(
      'valgrind',
      [
        '--tool=callgrind',
        '--callgrind-out-file=/dev/null',
        postgres,
        '--single',
        '-D',
        server.directory,
        ...settings,
        'postgres',
      ],
      { input: `${statement}\n`.repeat(times), encoding: 'utf8', cwd: '/', ...owner },
    );
    const found = /Collected : (\d+)/.exec(stderr ?? '');
    if (!found) throw new Error(`valgrind did not count: ${error?.message ?? stderr}`);
    return Number(found[1]);
  };
  for (const [name, statement] of Object.entries(STATEMENTS)) {
    counts[name] = Math.round((instructions(statement, MANY) - instructions(statement, FEW)) / (MANY - FEW));
  }
} finally {
  await server.dispose();
}

await hold(new URL('../bench/instructions.json', import.meta.url), counts, 'instructions');
