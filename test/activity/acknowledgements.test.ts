import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import express from 'express';
import { Rate } from '../../src/http/guards/rate.js';
import { createRealtime } from '../../src/index.js';
import { byHeader, listen, startApp, until } from '../helpers/server.js';

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

/** A request on a bare socket, of which a test sends the body as it likes. */
async function rawPost(t: ExecutionContext, origin: string, header: string) {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST /realtime/ack/ HTTP/1.1\r\nHost: x\r\nX-User: ann\r\nContent-Type: application/json\r\n${header}\r\n\r\n`,
  );
  return { socket, text: () => text };
}

test("a client that leaves within its request's body is no error of the app", async (t) => {
  const { app } = await shop(t);
  const errors: unknown[] = [];
  const requests: IncomingMessage[] = [];
  let closed = 0;
  const server = await listen(t, (req, res) => {
    requests.push(req);
    res.once('close', () => {
      closed += 1;
    });
    app.realtime.handler(req, res, (error) => errors.push(error));
  });
  const leaving = [
    await rawPost(t, server.origin, 'Content-Length: 100'),
    await rawPost(t, server.origin, 'Transfer-Encoding: chunked'),
  ];
  await until(
    'both bodies are waited for',
    () => requests.filter((req) => req.listenerCount('readable') > 0).length === 2,
  );
  for (const { socket } of leaving) socket.destroy();
  await until('both have left', () => closed === 2);
  t.is((await fetch(`${server.origin}/realtime/ack/`)).status, 405);
  t.deepEqual(errors, []);
  t.deepEqual(
    app.lines.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
  );

  const body = new ReadableStream({ pull: (controller) => controller.error(new Error('the client has left')) });
  const headers = { 'content-type': 'application/json', 'x-user': 'ann' };
  const init = { method: 'POST', headers, body, duplex: 'half' };
  t.is((await app.realtime.fetch(new Request('http://localhost/realtime/ack/', init))).status, 400);
});

for (const [how, header, piece, last] of [
  ['in chunks', 'Transfer-Encoding: chunked', `4e20\r\n${'x'.repeat(20_000)}\r\n`, '0\r\n\r\n'],
  ['with its length', 'Content-Length: 200000', 'x'.repeat(20_000), ''],
] as const) {
  test(`who sends too much ${how}, and reads only then, gets the whole answer and a closed connection`, async (t) => {
    const { app } = await shop(t);
    const { socket, text } = await rawPost(t, app.origin, header);
    let response: ServerResponse | undefined;
    app.http.once('request', (_req, res) => {
      response = res;
    });
    const send = (data: string) => new Promise((resolve) => socket.write(data, resolve));
    socket.pause();
    await send(piece);
    await until('it is answered', () => response?.headersSent === true);
    // A connection that is closed by now answers these with a reset, which throws away what was not read.
    for (let n = 1; n < 10; n += 1) await send(piece);
    await send(last);
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
    t.regex(text(), /^HTTP\/1\.1 413 /);
    t.regex(text(), /^connection: close\r$/im);
    t.is(JSON.parse(text().split('\r\n\r\n')[1]!).status, 413);
  });
}

test('who was refused too many requests is forgotten once 50,000 others have come: the memory for it has a bound', (t) => {
  const rate = new Rate(1);
  t.deepEqual([rate.take('ann'), rate.take('ann')], [true, false]);
  for (let n = 0; n < 50_000; n += 1) rate.take(`user ${n}`);
  t.true(rate.take('ann'));
});
