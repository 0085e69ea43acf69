import { chmod, chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createRealtime } from '../../src/index.js';
import { asLibpq } from '../../src/postgres/libpq.js';
import { djr } from '../cli/helpers.js';
import { type Certificate, selfSigned } from '../helpers/certificate.js';
import { startCluster } from '../helpers/cluster.js';
import { recordingLogger } from '../helpers/server.js';

/** A server with TLS, whose certificate a private authority signed: for 127.0.0.1, or for another name. */
async function startTls(t: ExecutionContext, name?: string): Promise<{ url: string; certificate: Certificate }> {
  const { server, url, query } = await startCluster(t);
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-tls-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const certificate = await selfSigned(folder, name);
  const { uid, gid } = await stat(server.directory);
  await chmod(certificate.key, 0o600);
  await chown(certificate.key, uid, gid);
  await query(`alter system set ssl_cert_file = '${certificate.certificate}'`);
  await query(`alter system set ssl_key_file = '${certificate.key}'`);
  await query('alter system set ssl = on');
  await server.stop('fast');
  await server.start();
  return { url, certificate };
}

/** Whether the connection of a command is encrypted: null where it failed, which is said. */
async function failureOf(t: ExecutionContext, url: string, env: Record<string, string> = {}): Promise<string | null> {
  const { code, err } = await djr(t, ['doctor', '-d', url], { env });
  return code === 0 ? null : err;
}

test('sslmode means what it means to libpq, in the address as in its variables', async (t) => {
  const { url, certificate } = await startTls(t);
  const file = certificate.certificate;
  t.is(await failureOf(t, `${url}?sslmode=require`), null);
  t.is(await failureOf(t, url, { PGSSLMODE: 'require' }), null);
  t.is(await failureOf(t, `${url}?sslmode=verify-full&sslrootcert=${file}`), null);
  t.is(await failureOf(t, url, { PGSSLMODE: 'verify-full', PGSSLROOTCERT: file }), null);
  t.is(await failureOf(t, url, { PGSSLROOTCERT: file }), null);
  t.is(await failureOf(t, `${url}?sslmode=disable`), null);
  const unknown = /^error: PostgreSQL's certificate is signed by nobody that this machine knows\.\n.*sslrootcert/;
  t.regex((await failureOf(t, `${url}?sslmode=verify-full`))!, unknown);
  t.regex((await failureOf(t, `${url}?sslmode=verify-ca`))!, unknown);
});

test('verify-ca does not compare names, verify-full does, and the runtime connects as commands do', async (t) => {
  const { url, certificate } = await startTls(t, 'db.example');
  const file = certificate.certificate;
  t.is(await failureOf(t, `${url}?sslmode=verify-ca&sslrootcert=${file}`), null);
  t.regex(
    (await failureOf(t, `${url}?sslmode=verify-full&sslrootcert=${file}`))!,
    /^error: PostgreSQL's certificate is for another host than the address names\.\n.*verify-ca/,
  );
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: `${url}?sslmode=verify-ca&sslrootcert=${file}`, logger });
  t.teardown(() => realtime.stop());
  await realtime.start();
  t.true((await realtime.publish({ scope: 'public', type: 'note' })) > 0);
});

test('a server without TLS, and a file that is not there, are said with what to do', async (t) => {
  const { url } = await startCluster(t);
  t.regex((await failureOf(t, `${url}?sslmode=require`))!, /^error: This PostgreSQL has no TLS\.\n.*sslmode=disable/);
  t.regex(
    (await failureOf(t, `${url}?sslmode=verify-full&sslrootcert=/no/ca.pem`))!,
    /^error: The file of sslrootcert must be readable, and \/no\/ca\.pem is not \(ENOENT\)\.\n.*PGSSLROOTCERT/,
  );
});

const REFUSED: [string, string | undefined, NodeJS.ProcessEnv, RegExp][] = [
  [
    'target_session_attrs of a standby',
    'postgres://a/app?target_session_attrs=standby',
    {},
    /target_session_attrs must be/,
  ],
  ['PGTARGETSESSIONATTRS', 'postgres://a/app', { PGTARGETSESSIONATTRS: 'read-only' }, /\(it is read-only\)/],
  ['PGSERVICE', undefined, { PGSERVICE: 'app', PGHOST: 'a' }, /PGSERVICE/],
  ['sslmode=prefer', 'postgres://a/app?sslmode=prefer', {}, /sslmode must be .* \(it is prefer\)/],
  ['PGSSLMODE of no meaning', 'postgres://a/app', { PGSSLMODE: 'yes' }, /sslmode must be .* \(it is yes\)/],
];

for (const [name, connectionString, environment, message] of REFUSED) {
  test(`${name}: refused by one sentence`, (t) => {
    const config = connectionString === undefined ? {} : { connectionString };
    const error = t.throws(() => asLibpq(config, environment), { code: 'DJR_CONFIG', message });
    t.truthy((error as { hint?: string }).hint);
  });
}

test('the command says it, too, with the hint, and is not waiting', async (t) => {
  const { code, err } = await djr(t, ['serve', '-d', 'postgres://u@one/app?sslmode=prefer', '--port', '0']);
  t.is(code, 2);
  t.regex(err, /^error: sslmode must be .* \(it is prefer\)\.\nThe mode verify-full/);
});

test('what was given as ssl in code stays, a Unix socket has no TLS, and target_session_attrs of a primary is fine', (t) => {
  const ssl = { rejectUnauthorized: true };
  t.is(asLibpq({ connectionString: 'postgres://a/b?sslmode=require', ssl }, {}).ssl, ssl);
  t.is(asLibpq({ host: '/run/postgresql' }, { PGSSLMODE: 'require' }).ssl, false);
  t.is(asLibpq({ connectionString: 'postgres:///b?host=/run/postgresql&sslmode=require' }, {}).ssl, false);
  t.notThrows(() => asLibpq({ connectionString: 'postgres://a/b?target_session_attrs=read-write' }, {}));
});
