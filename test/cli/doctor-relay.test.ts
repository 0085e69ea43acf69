import { connect } from '@nats-io/transport-node';
import { printPermissions } from '../../src/relay/permissions.js';
import { createDatabase } from '../helpers/database.js';
import { startNats, natsTest as test } from '../helpers/nats.js';
import { startSource } from '../relay/relayed.js';
import { djr } from './helpers.js';

interface Line {
  readonly check: string;
  readonly state: string;
  readonly found: string;
  readonly todo: string;
}

const linesOf = (out: string): Line[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

const states = (lines: readonly Line[]) => Object.fromEntries(lines.map(({ check, state }) => [check, state]));

const ADMIN = { user: 'admin', pass: 'admin' };

test('doctor --relay finds a relay good, as a source and as an edge, and leaves its log as it is', async (t) => {
  const db = await createDatabase(t);
  const config = printPermissions('default').replace('users: [', 'users: [\n    { user: admin, password: admin }');
  const nats = await startNats(t, { config, login: ADMIN });
  const address = new URL(nats.urls[0]!);
  const login = (role: string) => `nats://djr_default_${role}:${encodeURIComponent('change me')}@${address.host}`;
  await startSource(t, db, nats, { relay: { servers: login('source') } });
  const admin = await connect({ servers: nats.urls, ...ADMIN });
  t.teardown(() => admin.close());
  const fillers = async () => {
    const body = JSON.stringify({ subjects_filter: 'djr.default.doctor.>' });
    const info = await admin.request('$JS.API.STREAM.INFO.DJR_default', body);
    return info.json<{ state: { subjects?: object } }>().state.subjects;
  };
  const source = await djr(t, ['doctor', '--json', '--relay', login('source')]);
  t.deepEqual(states(linesOf(source.out)), {
    server: 'ok',
    stream: 'ok',
    replicas: 'warning',
    age: 'ok',
    log: 'ok',
    permissions: 'ok',
    'live copies': 'ok',
    'relay clock': 'ok',
  });
  t.is(source.code, 0);
  const edge = await djr(t, ['doctor', '--json', '--relay', login('edge')]);
  t.deepEqual(states(linesOf(edge.out)), {
    server: 'ok',
    log: 'ok',
    permissions: 'ok',
    sources: 'ok',
    'live copies': 'ok',
    'relay clock': 'ok',
  });
  t.is(edge.code, 0);
  t.is(await fillers(), undefined);
  const all = await djr(t, ['doctor', '--json', '--relay', `nats://admin:admin@${address.host}`]);
  const permissions = linesOf(all.out).find(({ check }) => check === 'permissions')!;
  t.is(permissions.state, 'warning');
  t.is(permissions.found, 'the login may append, purge, delete messages');
});

test('doctor --relay says what is wrong: no server, no source, a stream with other settings', async (t) => {
  const away = await djr(t, ['doctor', '--json', '--relay', 'nats://127.0.0.1:1']);
  t.is(away.code, 1);
  t.like(linesOf(away.out), [{ check: 'server', state: 'failed' }]);
  const nats = await startNats(t);
  const empty = await djr(t, ['doctor', '--json', '--relay', nats.urls[0]!]);
  t.is(empty.code, 1);
  t.like(states(linesOf(empty.out)), { server: 'ok', log: 'failed', sources: 'failed' });
  const connection = await connect({ servers: nats.urls });
  t.teardown(() => connection.close());
  const config = {
    name: 'DJR_default',
    subjects: ['djr.default.>'],
    retention: 'limits',
    storage: 'file',
    max_age: 6e10,
  };
  await connection.request('$JS.API.STREAM.CREATE.DJR_default', JSON.stringify(config));
  const wrong = linesOf((await djr(t, ['doctor', '--json', '--relay', nats.urls[0]!])).out);
  t.like(states(wrong), { stream: 'failed', age: 'warning' });
  t.regex(wrong.find(({ check }) => check === 'stream')!.found, /republish must be .*; allow_direct must be on/);
});
