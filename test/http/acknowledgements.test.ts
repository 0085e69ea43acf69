import test, { type ExecutionContext } from 'ava';
import express from 'express';
import { createRealtime } from '../../src/index.js';
import { byHeader, listen, startApp } from '../helpers/server.js';

async function shop(t: ExecutionContext, options: Parameters<typeof startApp>[1] = {}) {
  const app = await startApp(t, { authenticate: byHeader, ...options });
  const publish = async (sql: string) => Number((await app.db.query(`select ${sql} as id`))[0]!.id);
  const post = (body: unknown, headers: Record<string, string> = { 'x-user': 'ann' }) =>
    fetch(`${app.origin}/realtime/ack/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const acknowledged = () =>
    app.db.query(
      `select event_id::int as id, user_id, status from djr.activity where status in ('delivered', 'read') order by 1, 3`,
    );
  return { app, publish, post, acknowledged };
}

test('A user acknowledges events of their own, each once, and event_status has the furthest', async (t) => {
  const { app, publish, post, acknowledged } = await shop(t);
  const [one, two] = [await publish(`djr.publish('ann', 'a')`), await publish(`djr.publish('ann', 'b')`)];
  const answer = await post({ id: one, status: 'read' });
  t.deepEqual([answer.status, await answer.json()], [200, { acknowledged: [one] }]);
  const acks = [one, two].map((id) => ({ id, status: 'delivered' }));
  t.deepEqual(await (await post({ acks })).json(), { acknowledged: [one, two] });
  await post({ id: one, status: 'read' });
  t.deepEqual(await acknowledged(), [
    { id: one, user_id: 'ann', status: 'delivered' },
    { id: one, user_id: 'ann', status: 'read' },
    { id: two, user_id: 'ann', status: 'delivered' },
  ]);
  t.deepEqual(await app.db.query('select status from djr.event_status order by id'), [
    { status: 'read' },
    { status: 'delivered' },
  ]);
});

test("somebody else's event, a public one and one that is not there get the same 404, and nothing is recorded", async (t) => {
  const { publish, post, acknowledged } = await shop(t);
  const own = await publish(`djr.publish('ann', 'a')`);
  const others = [await publish(`djr.publish('bob', 'a')`), await publish(`djr.publish_global('a')`), 4711];
  const answers = await Promise.all(others.map((id) => post({ id, status: 'read' })));
  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [404]);
  t.is(new Set(bodies).size, 1);
  // Among others, one's own counts.
  const mixed = await post({ acks: [...others, own].map((id) => ({ id, status: 'read' })) });
  t.deepEqual(await mixed.json(), { acknowledged: [own] });
  t.deepEqual(await acknowledged(), [{ id: own, user_id: 'ann', status: 'read' }]);
});

test('an anonymous client, another site, a form and another method are refused', async (t) => {
  const { app, publish, post, acknowledged } = await shop(t);
  const id = await publish(`djr.publish('ann', 'a')`);
  const ack = { id, status: 'read' };
  t.is((await post(ack, {})).status, 401);
  t.is((await post(ack, { 'x-user': 'ann', origin: 'https://evil.example' })).status, 403);
  t.is((await post('id=1', { 'x-user': 'ann', 'content-type': 'application/x-www-form-urlencoded' })).status, 415);
  const got = await fetch(`${app.origin}/realtime/ack/`, { headers: { 'x-user': 'ann' } });
  t.deepEqual([got.status, got.headers.get('allow')], [405, 'POST, OPTIONS']);
  t.is(got.headers.get('content-type'), 'application/problem+json');
  t.deepEqual(await acknowledged(), []);
});

test('a body that is no acknowledgement is a 400, and one that is too large a 413', async (t) => {
  const { post } = await shop(t);
  const wrong = [
    '',
    '{',
    'null',
    '[]',
    {},
    { id: '1', status: 'read' },
    { id: 1, status: 'sent' },
    { id: -1, status: 'read' },
    { id: 1.5, status: 'read' },
    { acks: [] },
    { acks: 'all' },
    { acks: Array.from({ length: 101 }, (_, n) => ({ id: n + 1, status: 'read' })) },
  ];
  for (const [n, body] of wrong.entries())
    t.is((await post(body, { 'x-user': `u${n}` })).status, 400, JSON.stringify(body));
  t.is((await post(JSON.stringify({ id: 1, status: 'read', pad: 'x'.repeat(20_000) }))).status, 413);
});

test('more requests of one user in a second than the option allows are a 429, and other users go on', async (t) => {
  const { publish, post } = await shop(t, { maxAcknowledgementsPerUser: 2 });
  const id = await publish(`djr.publish('ann', 'a')`);
  const answers = await Promise.all(Array.from({ length: 20 }, () => post({ id, status: 'read' })));
  const refused = answers.filter(({ status }) => status === 429);
  t.true(refused.length > 0);
  t.is(refused[0]!.headers.get('retry-after'), '1');
  t.is((await post({ id, status: 'read' }, { 'x-user': 'bob' })).status, 404);
});

test('with activity off an acknowledgement is accepted and nothing is stored', async (t) => {
  const { app, publish, post, acknowledged } = await shop(t);
  await app.db.query(`select djr.configure(activity => 'off')`);
  const id = await publish(`djr.publish('ann', 'a')`);
  t.deepEqual(await (await post({ id, status: 'read' })).json(), { acknowledged: [id] });
  t.deepEqual(await acknowledged(), []);
});

test('behind express.json(), and through Fetch, an acknowledgement is the same', async (t) => {
  const { app, publish, acknowledged } = await shop(t);
  const [one, two] = [await publish(`djr.publish('ann', 'a')`), await publish(`djr.publish('ann', 'b')`)];
  const realtime = createRealtime({ database: app.db.url, authenticate: byHeader });
  t.teardown(() => realtime.stop());
  const server = await listen(t, express().use(express.json()).use(realtime.handler));
  const request = (id: number) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': 'ann' },
    body: JSON.stringify({ id, status: 'read' }),
  });
  t.is((await fetch(`${server.origin}/realtime/ack/`, request(one))).status, 200);
  t.is((await realtime.fetch(new Request('http://localhost/realtime/ack/', request(two)))).status, 200);
  t.is((await acknowledged()).length, 2);
});
