import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { startCluster } from '../helpers/cluster.js';
import { djr } from './helpers.js';

test('the command takes each form of an address that createRealtime takes, and reaches the database by it', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-socket-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  // PostgreSQL may run as another user than this test.
  await chmod(folder, 0o777);
  const cluster = await startCluster(t, { unix_socket_directories: folder });
  const { port, password } = new URL(cluster.url);
  const query = `host=${encodeURIComponent(folder)}&port=${port}`;
  const forms = [
    cluster.url,
    cluster.url.replace('postgres:', 'postgresql:'),
    `${cluster.url}?application_name=own&sslmode=disable`,
    `postgres://postgres:${password}@/postgres?${query}`,
    `postgres://postgres:${password}@/postgres?host=${folder}&port=${port}`,
    `postgresql:///postgres?${query}&user=postgres&password=${password}`,
    `postgres://postgres:${password}@${encodeURIComponent(folder)}:${port}/postgres`,
    `socket://postgres:${password}@${folder}?db=postgres&port=${port}`,
  ];
  for (const database of forms) {
    const environment = { PGPORT: port };
    const { code, out, err } = await djr(t, ['publish', 't', '--global', '-d', database], { env: environment });
    t.is(code, 0, `${database}: ${out}${err}`);
    t.is((await djr(t, ['migrate'], { env: { ...environment, DATABASE_URL: database } })).code, 0, database);
    t.notThrows(() => createRealtime({ database }), database);
  }
});

for (const [address, message] of [
  ['localhost/app', /must be a PostgreSQL address \(it must begin with postgres:\/\/\)/],
  ['mysql://localhost/app', /it must begin with postgres:\/\//],
  ['postgres://one:5432,/app', /Each host in the address of the database must have a name/],
  ['postgres://app@one:port/app', /Invalid URL/],
  ['postgres://app@one/app?sslrootcert=/nowhere', /ENOENT/],
] as const) {
  test(`an address that cannot work is refused with what it must be: ${address}`, async (t) => {
    for (const command of ['migrate', 'publish', 'doctor', 'tail', 'stats', 'prune', 'replay', 'serve']) {
      const rest = { publish: ['t', '--global'], replay: ['1'] }[command] ?? [];
      const { code, err } = await djr(t, [command, ...rest, '-d', address]);
      t.is(code, 2, command);
      t.regex(err, message, command);
    }
  });
}
