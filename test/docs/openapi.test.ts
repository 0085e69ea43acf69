import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { startApp, until } from '../helpers/server.js';
import type { Frame, Stream } from '../helpers/stream.js';

interface Header {
  required?: boolean;
  schema: object;
}
interface Answer {
  $ref?: string;
  headers?: Record<string, Header>;
  content?: Record<string, { schema: object }>;
}
type Operations = Record<string, { parameters?: { name: string; in: string }[]; responses: Record<string, Answer> }>;

const document = parse(await readFile(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8')) as {
  paths: Record<string, Operations>;
  components: { responses: Record<string, Answer>; schemas: Record<string, object> };
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(document, 'openapi');

/** What the schema at this place has to say against the value. */
function complaints(schema: object, value: unknown): string[] {
  // References in the document are relative to it.
  const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
  const validate = ajv.compile(JSON.parse(text) as object);
  return validate(value) ? [] : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const seen = new Set<string>();

/** Holds a real answer against what the document says of it. */
async function check(t: ExecutionContext, path: string, response: Response, method = 'get'): Promise<void> {
  const name = `${method} ${path} ${response.status}`;
  seen.add(name);
  const said = document.paths[path]?.[method]?.responses[String(response.status)];
  t.truthy(said, `the document has no ${name}`);
  const answer = said!.$ref ? document.components.responses[said!.$ref.split('/').at(-1)!]! : said!;
  for (const [header, { required, schema }] of Object.entries(answer.headers ?? {})) {
    const value = response.headers.get(header);
    if (value === null) t.not(required, true, `${name} lacks ${header}`);
    else t.deepEqual(complaints(schema, value), [], `${name}: ${header}`);
  }
  const [type, content] = Object.entries(answer.content ?? {})[0] ?? [];
  if (!content) return void (await response.body?.cancel());
  t.true(response.headers.get('content-type')?.startsWith(type!), `${name}: ${response.headers.get('content-type')}`);
  if (type === 'text/event-stream') return void (await response.body?.cancel());
  const body = type!.includes('json') ? await response.json() : await response.text();
  t.deepEqual(complaints(content.schema, body), [], name);
}

/** Messages of the stream are held against their own schema, events against theirs. */
function checkFrames(t: ExecutionContext, frames: readonly Frame[]): Set<unknown> {
  const { schemas } = document.components;
  for (const { id, data } of frames) {
    const isEvent = id !== undefined && !id.startsWith('0-');
    const type = String(data.type);
    const own = isEvent ? 'Event' : `${type[0]!.toUpperCase()}${type.slice(1)}`;
    t.truthy(schemas[own], `the document has no message ${own}`);
    t.deepEqual(complaints(schemas[own]!, data), [], JSON.stringify(data));
  }
  return new Set(frames.map(({ data }) => data.type));
}

test('real answers of every route are as docs/openapi.yaml has them', async (t) => {
  const app = await startApp(t, { maxConnectionsPerAddress: 3, allowedOrigins: ['https://app.example.com'] });
  const at = `${app.origin}/realtime`;
  const user = { 'x-user': 'ann' };
  const json = { ...user, 'content-type': 'application/json' };
  const id = await app.realtime.publish({ userId: 'ann', type: 'paid', detail: {} });
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

  await check(t, '/sse/', await fetch(`${at}/sse/`));
  await check(t, '/sse/', await fetch(`${at}/sse/?probe=1`));
  await check(t, '/sse/', await fetch(`${at}/sse/?types=${'a,'.repeat(200)}b`));
  await check(t, '/sse/', await fetch(`${at}/sse/`, { headers: foreign }));
  await check(t, '/sse/', await fetch(`${at}/sse/`, { method: 'DELETE' }));
  const preflight = { method: 'OPTIONS', headers: { origin: 'https://app.example.com' } };
  for (const path of ['/sse/', '/ack/']) {
    await check(t, path, await fetch(at + path, preflight), 'options');
    await check(t, path, await fetch(at + path, { ...preflight, headers: foreign }), 'options');
  }

  const ack = (body: string, headers: Record<string, string> = json) =>
    fetch(`${at}/ack/`, { method: 'POST', headers, body });
  await check(t, '/ack/', await ack(JSON.stringify({ id: Number(id), status: 'read' })), 'post');
  await check(t, '/ack/', await ack('{"id": 1}'), 'post');
  await check(t, '/ack/', await ack('{"id": 999999, "status": "read"}'), 'post');
  await check(t, '/ack/', await ack('{"id": 1, "status": "read"}', { 'content-type': 'application/json' }), 'post');
  await check(t, '/ack/', await ack('id=1', { ...user, 'content-type': 'text/plain' }), 'post');
  await check(t, '/ack/', await ack(' '.repeat(20_000)), 'post');
  await check(t, '/ack/', await ack('{}', { ...json, ...foreign }), 'post');

  for (const script of ['/djr.js', '/djr.mjs', '/djr-topics.mjs']) {
    const first = await fetch(at + script);
    const etag = first.headers.get('etag')!;
    await check(t, script, first);
    await check(t, script, await fetch(at + script, { headers: { 'if-none-match': etag } }));
  }
  await check(t, '/healthz', await fetch(`${at}/healthz`));
  await check(t, '/metrics', await fetch(`${at}/metrics`));

  const streams: Stream[] = [];
  for (let place = 0; place < 3; place += 1) streams.push(await app.stream());
  await check(t, '/sse/', await fetch(`${at}/sse/`));
  for (const stream of streams) stream.close();
  await app.realtime.stop();
  await check(t, '/sse/', await fetch(`${at}/sse/`));
  await check(t, '/healthz', await fetch(`${at}/healthz`));

  const promised = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses }]) =>
      Object.keys(responses).map((status) => `${method} ${path} ${status}`),
    ),
  );
  // What takes a failing database, a login that throws, or an option that is set: their own tests have them.
  const elsewhere = /get \/sse\/ 401|ack\/ (429|503)|healthz 404|metrics (403|404)/;
  t.deepEqual(
    promised.filter((name) => !seen.has(name) && !elsewhere.test(name)),
    [],
  );
});

test('real frames of every kind are as docs/openapi.yaml has them', async (t) => {
  const app = await startApp(t, { presence: true, heartbeat: 300 });
  const [row] = await app.db.query<{ seal: string }>("select djr.seal('room:7') as seal");
  const room = `topic=room:7&seal=${row!.seal}`;
  const ann = await app.streamOf('ann', `?${room}&topic=room:8&heartbeat=1&shareKey=1`);
  const lost = await app.stream('?lastEventId=12-nonsense');
  await lost.event('reset');
  // Her list comes first: who is in it is not told once more.
  await ann.until('her list has come', () => ann.frames.some(({ data }) => Array.isArray(data.users)));
  const bob = await app.streamOf('bob', `?${room}`);
  await ann.until('bob has come', () => ann.frames.some(({ data }) => Array.isArray(data.joined)));
  await app.realtime.publish({ scope: 'topic', topic: 'room:7', type: 'said', detail: { text: 'hi' } });
  await ann.event('said');
  await ann.event('heartbeat');
  bob.close();
  await ann.until('bob has gone', () => ann.frames.some(({ data }) => Array.isArray(data.left)));
  await app.db.query("select djr.recheck(null, 'room:7')");
  await ann.event('left');
  await app.db.query("select djr.disconnect('ann', 'enough')");
  await ann.end();
  const resumed = await app.streamOf('bob', '', { lastEventId: bob.lastEventId });
  await until('it has resumed', () => resumed.frames.some(({ data }) => data.resuming === true));

  const types = checkFrames(t, [...ann.frames, ...lost.frames, ...bob.frames, ...resumed.frames]);
  for (const type of ['connected', 'heartbeat', 'reset', 'left', 'presence', 'disconnected', 'said']) {
    t.true(types.has(type), type);
  }
});

test('docs/http.md has the routes, methods and parameters of docs/openapi.yaml, and no others', async (t) => {
  const page = await readFile(new URL('../../docs/http.md', import.meta.url), 'utf8');
  const cells = (heading: string): string[][] => {
    const table = page.slice(page.indexOf(heading)).split('\n\n')[0]!;
    return table
      .split('\n')
      .slice(2)
      .map((row) => row.split('|').map((cell) => cell.trim()));
  };
  const routes = cells('| route | methods |').flatMap(([, names = '', methods = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [`/${name}`, methods.replaceAll('HEAD', '').match(/[A-Z]+/g)]),
  );
  t.deepEqual(
    Object.fromEntries(routes),
    Object.fromEntries(
      Object.entries(document.paths).map(([path, operations]) => [
        path,
        Object.keys(operations).map((method) => method.toUpperCase()),
      ]),
    ),
  );
  const parameters = cells('| parameter | meaning |').map(([, cell]) => /^`([\w.]+)=/.exec(cell!)![1]!);
  const declared = document.paths['/sse/']!.get!.parameters!.filter((one) => one.in === 'query');
  t.deepEqual(parameters.sort(), declared.map(({ name }) => name).sort());
});
