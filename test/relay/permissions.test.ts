import { connect } from '@nats-io/transport-node';
import { createRealtime } from '../../src/index.js';
import { printPermissions } from '../../src/relay/permissions.js';
import { createDatabase } from '../helpers/database.js';
import { startNats, natsTest as test } from '../helpers/nats.js';
import { until } from '../helpers/server.js';
import { startEdge, startSource } from './relayed.js';
import { silent } from './world.js';

const ADMIN = { user: 'admin', pass: 'admin' };
const PASSWORD = 'change me';

test("With the permissions that djr prints, a relay works, and an edge's login cannot write, purge or delete", async (t) => {
  const db = await createDatabase(t);
  const config = printPermissions('default').replace('users: [', 'users: [\n    { user: admin, password: admin }');
  const nats = await startNats(t, { config, login: ADMIN });
  const relay = (role: string) => ({
    relay: { servers: nats.urls, credentials: { user: `djr_default_${role}`, password: PASSWORD } },
  });
  await startSource(t, db, nats, relay('source'));
  const edge = await startEdge(t, nats, relay('edge'));
  const stream = await edge.streamOf('ann');
  await db.query(`select djr.publish('ann', 'note')`);
  await stream.event('note');

  const connection = await connect({ servers: nats.urls, user: 'djr_default_edge', pass: PASSWORD });
  t.teardown(() => connection.close());
  const admin = await connect({ servers: nats.urls, ...ADMIN });
  t.teardown(() => admin.close());
  const last = async () => (await admin.request('$JS.API.STREAM.INFO.DJR_default')).json<{ state: object }>().state;
  const refused: string[] = [];
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') refused.push(String(status.error));
    }
  })();
  const forbidden = [
    'djr.default.g.a.Kg',
    'djr.default.g.t',
    'live.djr.default.g.a.Kg',
    'tell.djr.default.presence',
    '$JS.API.STREAM.PURGE.DJR_default',
    '$JS.API.STREAM.DELETE.DJR_default',
    '$JS.API.STREAM.UPDATE.DJR_default',
    '$JS.API.STREAM.MSG.DELETE.DJR_default',
    '$JS.API.CONSUMER.CREATE.DJR_default',
  ];
  for (const subject of forbidden) connection.publish(subject, '{}');
  await connection.flush();
  await until('the refusals', () => refused.length >= forbidden.length);
  for (const subject of forbidden)
    t.true(
      refused.some((text) => text.includes(subject)),
      subject,
    );
  t.truthy(await last());
});

test('A login that the engine refuses ends the start of an edge with why', async (t) => {
  const config = printPermissions('default').replace('users: [', 'users: [\n    { user: admin, password: admin }');
  const nats = await startNats(t, { config, login: ADMIN });
  const relay = { servers: nats.urls, credentials: { user: 'djr_default_edge', password: 'wrong' } };
  await t.throwsAsync(startEdge(t, nats, { relay }), { message: /authorization/i });
  const edge = createRealtime({ relay, logger: silent });
  t.teardown(() => edge.stop());
  await t.throwsAsync(edge.start());
  const problem = 'the start failed: Option relay: the engine refuses the login (authorization violation).';
  t.like(edge.health(), { ok: false, problems: [problem], checks: { relay: 'failing' } });
});

test('A source whose login the engine refuses serves its own clients, and says so in healthz', async (t) => {
  const db = await createDatabase(t);
  const config = printPermissions('default').replace('users: [', 'users: [\n    { user: admin, password: admin }');
  const nats = await startNats(t, { config, login: ADMIN });
  const relay = { servers: nats.urls, credentials: { user: 'djr_default_source', password: 'wrong' } };
  const source = await startSource(t, db, nats, { relay });
  const stream = await source.streamOf('ann');
  await db.query(`select djr.publish('ann', 'note')`);
  await stream.event('note');
  const warning = 'the relay refuses the login: its edges get nothing';
  await until('the warning', () => source.realtime.health().warnings.includes(warning));
  t.true(source.realtime.health().ok);
});
