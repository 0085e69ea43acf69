import test from 'ava';
import { importedBy } from './helpers/imported.js';

const sorted = (names: Iterable<string>): string[] => [...names].sort();

/** What `pg` is made of, and what it takes with it. */
const isOfPg = (name: string): boolean => /^(pg|pg-.*|pgpass|postgres-.*|split2|xtend)$/.test(name);

test('import djr loads what reads PostgreSQL and options, and neither the migration runner nor a package of the commands', async (t) => {
  const { files, packages } = await importedBy(`const { createRealtime } = await import('djr');
    createRealtime({ database: 'postgres://nobody@127.0.0.1:1/none', admin: { authorize: () => true } });`);
  t.deepEqual(
    sorted(packages).filter((name) => !isOfPg(name)),
    ['zod'],
  );
  t.deepEqual(
    files.filter((file) => /^(cli|admin|doctor|testing|relay|browser)\/|^install\/migrate/.test(file)),
    [],
  );
});

test('import djr/migrate loads the migration runner, and nothing of the runtime', async (t) => {
  const { files, packages } = await importedBy(`await import('djr/migrate');`);
  t.true(packages.has('node-pg-migrate'));
  for (const name of ['pino', 'jose', 'commander', 'cli-progress', 'hono', 'zod', 'prom-client']) {
    t.false(packages.has(name), name);
  }
  t.deepEqual(
    files.filter((file) => /^(cli|admin|doctor|clients|stream|source|http|telemetry|runtime)\//.test(file)),
    [],
  );
});

test('An instance loads what writes metrics, and the admin, when somebody asks for them', async (t) => {
  const { files, packages } = await importedBy(`
    const { createRealtime } = await import('djr');
    const realtime = createRealtime({
      database: 'postgres://nobody@127.0.0.1:1/none',
      admin: { authorize: () => true },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await realtime.fetch(new Request('http://localhost/realtime/metrics'));
    await realtime.fetch(new Request('http://localhost/realtime/admin/live'));
    await realtime.stop();`);
  t.true(packages.has('prom-client'));
  t.true(files.includes('admin/admin.js'));
});
