import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';
import { djr, start } from './helpers.js';

/** A folder that goes with the test. */
async function temporary(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-usage-'));
  // Where this is root, PostgreSQL runs as another user.
  await chmod(folder, 0o755);
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('--help of the command and of each subcommand explains, with examples, and is no failure', async (t) => {
  const { code, out } = await djr(t, ['--help']);
  t.is(code, 0);
  for (const name of ['demo', 'migrate', 'serve', 'publish', 'tail', 'bench']) {
    t.regex(out, new RegExp(`^ {2}${name}\\b`, 'm'));
    const help = await djr(t, [name, '--help']);
    t.is(help.code, 0);
    t.regex(help.out, /Examples:\n {2}\$ djr/);
    t.is(help.err, '');
  }
});

const wrong: [string, string[], RegExp][] = [
  ['an unknown command', ['emit'], /unknown command 'emit'/],
  ['an unknown option', ['migrate', '--force'], /unknown option '--force'/],
  ['a missing argument', ['publish'], /missing required argument 'type'/],
  [
    'nobody to publish to',
    ['publish', 'a'],
    /Nobody is named to publish to\.\nGive --user ID, --topic NAME, --public or --system\./,
  ],
  ['a user that is empty', ['publish', 'a', '-u', ''], /--user must be followed by a user's id \(it is empty\)/],
  ['a user that is an option', ['publish', 'a', '--user', '--public'], /--user must be followed by a user's id/],
  ['a user that is not there', ['publish', 'a', '--user'], /argument missing/],
  ['two to publish to', ['publish', 'a', '-g', '-u', '1'], /--user and --public do not go together/],
  ['a detail that is no JSON', ['publish', 'a', '{', '-g'], /DETAIL is not JSON\./],
  ['no database', ['migrate'], /No database is given\.\nSet DATABASE_URL=/],
  [
    'an address that is none',
    ['tail', '-d', 'localhost'],
    /--database-url must be a PostgreSQL address \(it must begin with postgres:\/\/\)\./,
  ],
  ['a port that is none', ['serve', '--port', '70000'], /whole number, 0 to 65535/],
  ['an origin that is none', ['serve', '--allow-origin', 'https://a/b'], /It must be an origin: https:/],
  ['a config that is not there', ['serve', '--config', 'nowhere.mjs'], /There is no file nowhere\.mjs\./],
  ['half of a session', ['serve', '--session-cookie', 'sid'], /need one another/],
  ['two kinds of token', ['serve', '--jwt-secret', 'a', '--jwks-url', 'https://a'], /do not go together/],
  ['--login-required without login', ['serve', '--login-required'], /--login-required says nothing without a login/],
  ['an address that is empty', ['migrate', '-d', ''], /--database-url must not be empty\./],
  ['a host that is empty', ['serve', '--host', ''], /--host must not be empty\./],
  ['a folder that is empty', ['serve', '--embedded', ''], /--embedded must not be empty\./],
  [
    'an issuer that is empty',
    ['serve', '--jwt-secret', 'a', '--jwt-issuer', ''],
    /--jwt-issuer must not be empty\.\nIs the variable/,
  ],
  ['a type that is empty', ['tail', '--type', 'a', ''], /--type must not be empty\./],
  [
    'a namespace without a relay',
    ['serve', '--relay-namespace', 'a'],
    /--relay-namespace says nothing without --relay\./,
  ],
  [
    'credentials without a relay',
    ['doctor', '--relay-credentials', 'a'],
    /--relay-credentials says nothing without --relay\./,
  ],
  ['a header without an address', ['doctor', '--header', 'a: b'], /--header says nothing without --url\./],
  ['patience without an address', ['doctor', '--patience', '3'], /--patience says nothing without --url\./],
  [
    'two ways to check',
    ['doctor', '--url', 'https://a/realtime/', '-d', 'postgres://a/b'],
    /cannot be used with option/,
  ],
  [
    'the way and the relay to check',
    ['doctor', '--url', 'https://a/realtime/', '--relay', 'nats://a:4222'],
    /cannot be used with option/,
  ],
  [
    '--uninstall without a terminal',
    ['migrate', '--uninstall', '-d', 'postgres://a/b'],
    /no terminal to ask on\.\nAdd --yes/,
  ],
];
for (const [what, args, message] of wrong) {
  test.serial(`wrong usage ends with 2: ${what}`, async (t) => {
    const { code, out, err } = await djr(t, args);
    t.is(code, 2);
    t.is(out, '');
    t.regex(err, message);
    t.notRegex(err, /\n {4}at /);
  });
}

test('a variable that is empty counts as not set', async (t) => {
  const { url } = await createDatabase(t);
  const socket = `${await temporary(t)}/socket`;
  const env = { PORT: '', DJR_LOG_LEVEL: '' };
  const serve = start(t, ['serve', '-d', url, '--listen', `unix:${socket}`], env);
  await serve.printed(/listening on http:\/\/unix:/);
  serve.child.kill();
  t.is((await serve.ended).code, 0);
});

test('a config whose base path is none is an error, with a sentence', async (t) => {
  const { url } = await createDatabase(t);
  const config = `${await temporary(t)}/config.mjs`;
  await writeFile(config, 'export default { basePath: 7 };');
  const { code, err } = await djr(t, ['serve', '-d', url, '--config', config, '--log-level', 'silent']);
  t.is(code, 1);
  t.regex(err, /^error: Option basePath: /);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} while demo makes its database ends it with 0, and nothing of it is left`, async (t) => {
    const folder = await temporary(t);
    const demo = start(t, ['demo', '--port', '0'], { TMPDIR: folder });
    await until('the database is being made', async () =>
      (await readdir(folder)).some((name) => /postgres/.test(name)),
    );
    demo.child.kill(signal);
    const { code, out } = await demo.ended;
    t.is(code, 0);
    t.is(out, '');
    // initdb empties its folder at the end of its own step.
    await until('nothing is left', async () => (await readdir(folder)).length === 0);
  });
}

test('a database that does not answer ends with 1, two sentences, and the stack only with --verbose', async (t) => {
  const args = ['publish', 'a', '-g', '-d', 'postgres://user:secret@127.0.0.1:1/none'];
  const { code, err } = await djr(t, args);
  t.is(code, 1);
  t.is(err, 'error: No PostgreSQL answers at 127.0.0.1:1.\nStart it, or correct --database-url or DATABASE_URL.\n');
  const verbose = await djr(t, [...args, '--verbose']);
  t.regex(verbose.err, /\n {4}at /);
  t.notRegex(verbose.err, /secret/);
});

test('a database without the schema: publish, tail and serve say to migrate', async (t) => {
  const { url } = await createDatabase(t, { template: null });
  for (const args of [['publish', 'a', '-g'], ['tail'], ['serve', '--port', '0']]) {
    const { code, err } = await djr(t, [...args, '-d', url]);
    t.is(code, 1);
    t.is(err, 'error: This database has no schema djr.\nRun `djr migrate` first.\n');
  }
});

test('an error of the database says once what the value was', async (t) => {
  const { url } = await createDatabase(t);
  for (const [args, value] of [
    [['publish', 'a', '[]', '-g'], /of type array/g],
    [['publish', 'a', '--topic', 'a b'], /"a b"/g],
  ] as const) {
    const { code, err } = await djr(t, [...args, '-d', url]);
    t.is(code, 1);
    t.is(err.match(value)?.length, 1, err);
  }
});

test('a port in use is said plainly', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { url } = await createDatabase(t);
  // What either had started by then has ended: else it would not.
  for (const command of [['serve', '-d', url, '--log-level', 'silent'], ['demo']]) {
    const { code, err } = await djr(t, [...command, '--port', String(port)]);
    t.is(code, 1);
    t.is(
      err,
      `error: Port ${port} on 127.0.0.1 is in use.\nGive another with --port; --port 0 takes any that is free.\n`,
    );
  }
});

test('docs/cli.md is what --help says', (t) => {
  const { status, stderr } = spawnSync(process.execPath, ['--import=tsx', 'scripts/docs-cli.ts', '--check'], {
    encoding: 'utf8',
    env: { ...process.env, PORT: '' },
  });
  t.is(status, 0, stderr);
});
