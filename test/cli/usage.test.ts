import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { djr } from './helpers.js';

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
