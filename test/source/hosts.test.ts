import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { createRealtime } from '../../src/index.js';
import { newClient } from '../../src/postgres/connect.js';
import { eachHost, hasManyHosts } from '../../src/postgres/hosts.js';
import { djr, start } from '../cli/helpers.js';
import { type Cluster, startCluster, startStandby } from '../helpers/cluster.js';
import { recordingLogger, startServer, until } from '../helpers/server.js';

const PUBLISH = "select djr.publish_public('note', jsonb_build_object('n', $1::int)) as id";

const reached = (connectionString: string | undefined, environment: NodeJS.ProcessEnv = {}): string[] => {
  const config = connectionString === undefined ? {} : { connectionString };
  return eachHost(config, environment).map((host) => {
    const { connectionParameters: way } = new pg.Client(host) as unknown as {
      connectionParameters: { host: string; port: number; database: string };
    };
    return `${way.host}:${way.port}/${way.database}`;
  });
};

for (const [name, address, environment, expected] of [
  ['with a port each', 'postgres://u:p@one:1,two:2/app', {}, ['one:1/app', 'two:2/app']],
  ['without ports', 'postgres://u@one,two,three/app', {}, ['one:5432/app', 'two:5432/app', 'three:5432/app']],
  ['a port for some', 'postgres://u@one,two:2/app?application_name=a', {}, ['one:5432/app', 'two:2/app']],
  ['as a parameter', 'postgres:///app?host=one,two', {}, ['one:5432/app', 'two:5432/app']],
  ['as parameters with ports', 'postgres://u@/app?host=one,two&port=1,2', {}, ['one:1/app', 'two:2/app']],
  ['with one port for all', 'postgres:///app?host=one,two&port=7', {}, ['one:7/app', 'two:7/app']],
  ['the parameter comes first', 'postgres://a,b/app?host=one,two', {}, ['one:5432/app', 'two:5432/app']],
  ['sockets', 'postgres:///app?host=/run/one,/run/two', {}, ['/run/one:5432/app', '/run/two:5432/app']],
  ['an address of version 6', 'postgres://u@[::1]:1,two:2/app', {}, ['::1:1/app', 'two:2/app']],
  ['in PGHOST', undefined, { PGHOST: 'one,two', PGPORT: '1,2' }, ['one:1/', 'two:2/']],
  ['in PGHOST with one port', undefined, { PGHOST: 'one,two', PGPORT: '9' }, ['one:9/', 'two:9/']],
] as [string, string | undefined, NodeJS.ProcessEnv, string[]][]) {
  test(`several hosts ${name}: each is reached by an address of its own`, (t) => {
    t.true(hasManyHosts(address === undefined ? {} : { connectionString: address }, environment));
    const found = reached(address, environment).map((each) =>
      address === undefined ? each.replace(/\/.*/, '/') : each,
    );
    t.deepEqual(found, expected);
  });
}

for (const [name, address, environment, message] of [
  ['an empty name', 'postgres://one,/app', {}, /Each host .* must have a name/],
  ['more ports than hosts', 'postgres:///a?host=one,two&port=1,2,3', {}, /\(it has 2 hosts and 3 ports\)/],
  ['more ports than PGHOST has hosts', undefined, { PGHOST: 'a,b', PGPORT: '1,2,3' }, /2 hosts and 3 ports/],
  ['a standby is preferred', 'postgres://a,b/c?target_session_attrs=prefer-standby', {}, /\(it is prefer-standby\)/],
  ['a standby is wanted', 'postgres://a,b/c', { PGTARGETSESSIONATTRS: 'standby' }, /\(it is standby\)/],
] as [string, string | undefined, NodeJS.ProcessEnv, RegExp][]) {
  test(`several hosts and ${name}: refused by one sentence`, (t) => {
    const config = address === undefined ? {} : { connectionString: address };
    const error = t.throws(() => eachHost(config, environment), { code: 'DJR_CONFIG', message });
    t.truthy((error as { hint?: string }).hint);
  });
}

/** `postgres://…` with these servers instead of its own. */
const among = (url: string, hosts: string[], query = ''): string =>
  url.replace(/@[^/]+/, `@${hosts.join(',')}`) + (query && `?${query}`);

const hostOf = ({ url }: Cluster): string => new URL(url).host;

/** Takes connections and never says a word. */
async function startSilent(t: ExecutionContext): Promise<string> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('of several hosts commands and the runtime take the primary, wherever it stands, and a failover leads them to the other', async (t) => {
  const primary = await startCluster(t);
  const standby = await startStandby(t, primary);
  const database = among(primary.url, ['127.0.0.1:1', hostOf(standby), hostOf(primary)]);
  for (const command of [['migrate'], ['doctor'], ['publish', '--public', 't'], ['prune', '--older-than', '1 day']]) {
    const { code, out, err } = await djr(t, [...command, '-d', database]);
    t.is(code, 0, `${command.join(' ')}: ${out}${err}`);
  }
  const { hostname, port, password } = new URL(primary.url);
  const env = {
    PGHOST: `${hostname},${hostname}`,
    PGPORT: `${new URL(standby.url).port},${port}`,
    PGUSER: 'postgres',
    PGPASSWORD: password,
    PGDATABASE: 'postgres',
    PGTARGETSESSIONATTRS: 'read-write',
  };
  t.is((await djr(t, ['publish', '--public', 't'], { env })).code, 0);

  const { logger } = recordingLogger();
  const realtime = createRealtime({ database, logger, sweepInterval: 100, heartbeat: 100 });
  const server = await startServer(t, realtime);
  await realtime.start();
  const stream = await server.stream();
  const before = await primary.query(PUBLISH, [1]);
  await stream.count(1);
  await until('the standby has it', async () => {
    return (await standby.query('select from djr.event where id = $1', [before[0]!.id])).length === 1;
  });

  await primary.server.stop('immediate');
  await standby.query('select pg_promote()');
  await standby.query(PUBLISH, [2]);
  await stream.until('the event of the new primary', () => stream.events.some(({ data }) => data.n === 2));
  t.true((await realtime.publish({ scope: 'public', type: 'note', detail: { n: 3 } })) > 0);
});

test('with target_session_attrs=any the first that answers is taken, and a host that is silent takes its share of the time only', async (t) => {
  const primary = await startCluster(t);
  const silent = await startSilent(t);
  const connectionString = among(primary.url, [silent, hostOf(primary)], 'target_session_attrs=any');
  const client = newClient({ connectionString, connectionTimeoutMillis: 15_000 });
  await client.connect();
  t.is(client.port, Number(new URL(primary.url).port));
  await client.end();
});

test('read-write refuses a primary that can only be read', async (t) => {
  const primary = await startCluster(t);
  await primary.query('alter database postgres set default_transaction_read_only = on');
  const hosts = [hostOf(primary), '127.0.0.1:1'];
  const client = newClient(among(primary.url, hosts, 'target_session_attrs=primary'));
  await client.connect();
  await client.end();
  await t.throwsAsync(newClient(among(primary.url, hosts, 'target_session_attrs=read-write')).connect(), {
    code: 'DJR_NO_PRIMARY',
    message: /\(127\.0\.0\.1:\d+ can only be read; 127\.0\.0\.1:1 ECONNREFUSED\)/,
  });
});

test('where none of the hosts is the primary a command says of each why not, and serve waits until one is', async (t) => {
  const primary = await startCluster(t);
  const standby = await startStandby(t, primary);
  await primary.server.stop('immediate');
  const database = among(primary.url, [hostOf(primary), hostOf(standby)]);
  const { code, err } = await djr(t, ['publish', '--public', 't', '-d', database]);
  t.is(code, 1);
  t.regex(
    err,
    /^error: One of the hosts must be the primary \(127\.0\.0\.1:\d+ ECONNREFUSED; 127\.0\.0\.1:\d+ is a standby\)\.\nDuring a failover/,
  );

  const serve = start(t, ['serve', '-d', database, '--port', '0']);
  await serve.complained(/must be the primary/);
  await standby.query('select pg_promote()');
  await serve.printed(/^listening on /);
});

test('a wrong password is said at once, and no other host is asked', async (t) => {
  const primary = await startCluster(t);
  const wrong = primary.url.replace(/:[^:@/]*@/, ':wrong@');
  const silent = await startSilent(t);
  const { code, err } = await djr(t, ['publish', '--public', 't', '-d', among(wrong, [hostOf(primary), silent])]);
  t.is(code, 1);
  t.regex(err, /password authentication failed/);
});
