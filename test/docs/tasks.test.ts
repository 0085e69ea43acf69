import { readFile } from 'node:fs/promises';
import test from 'ava';
import { type Block, fencedBlocks } from '../helpers/document.js';
import { startApp, type TestApp, until } from '../helpers/server.js';
import type { Frame, Stream } from '../helpers/stream.js';

const blocks = await fencedBlocks('docs/tasks.md');
const find = (language: string, part: string): string =>
  blocks.find((block: Block) => block.language === language && block.code.includes(part))!.code;

type Listener = (event: { detail: Record<string, unknown> }) => unknown;

/** A page with a snippet of the document in it: what the snippet assigns stands in its scope. */
function page(scope: Record<string, unknown>) {
  const listeners: [string, Listener][] = [];
  const room = { on: (type: string, listener: (detail: unknown) => unknown) => inRoom.push([type, listener]) };
  const inRoom: [string, (detail: unknown) => unknown][] = [];
  Object.assign(scope, { room, addEventListener: (...one: [string, Listener]) => listeners.push(one) });
  return {
    /** Runs a snippet: names that it does not declare are those of the scope. */
    run: (code: string): Promise<unknown> =>
      new Function('scope', `with (scope) { return (async () => {${code}})() }`)(scope),
    /** Fires what the client would for a frame. */
    async fire({ data }: Frame): Promise<void> {
      const names = [`djr:${data.type}`, `djr:${data.type}:${data[':id']}`];
      for (const [name, listener] of listeners) if (names.includes(name)) await listener({ detail: data });
      for (const [type, listener] of inRoom) if (type === data.type) await listener(data);
    },
  };
}

const fireAll = async ({ fire }: ReturnType<typeof page>, stream: Stream): Promise<void> => {
  for (const frame of stream.frames) await fire(frame);
};

/** Runs the SQL of a section. @returns the rows of its statements that have any */
async function sql(app: TestApp, part: string): Promise<Record<string, unknown>[]> {
  const client = await app.db.connect();
  const results = [await client.query(find('sql', part))].flat();
  await client.end();
  return results.flatMap(({ rows }) => rows);
}

test('A room, who is online and who is typing: the page hears the topic that its query sealed', async (t) => {
  const app = await startApp(t, { presence: true });
  const text = find('sql', 'message_said');
  await app.db.query(text.slice(0, text.indexOf('select json_agg')));
  const [row] = await app.db.query(/^select json_agg.*;$/m.exec(text)![0]);
  const shown: unknown[] = [];
  const joined: unknown[] = [];
  const scope = {
    ...row,
    show: (...what: unknown[]) => shown.push(what),
    showFor: (_: number, what: string) => shown.push(what),
    djr: { join: (...what: unknown[]) => joined.push(what) && scope.room },
  } as Record<string, unknown>;
  const here = page(scope);
  const query = new URLSearchParams({ topic: 'room:7', seal: row!.seal as string, since: row!.since as string });
  const stream = await app.streamOf('42', `?${query}`);
  await app.db.query(/^insert into message.*;$/m.exec(text)![0]);
  await here.run(find('js', "djr.join('room:7'").replace('const room =', 'room ='));
  await here.run(find('js', "'presence'"));
  await here.run(find('js', "'typing'"));
  await stream.event('message');
  await sql(app, "'typing'");
  await stream.event('typing');
  await until('she is online', async () => (await sql(app, 'from djr.online')).length === 1);
  t.like((await sql(app, 'from djr.online'))[0], { user_id: '42', streams: 1 });
  // On a busy machine the first list is empty, and she is told of as one who joined.
  await stream.until('she is in the list, or has joined', () =>
    stream.frames.some(({ data }) => [data.users, data.joined].some((ids) => Array.isArray(ids) && ids.includes('42'))),
  );
  await fireAll(here, stream);
  t.deepEqual(joined, [['room:7', { seal: row!.seal, since: row!.since }]]);
  // Presence shows one thing: a list, or a number where somebody came between two lists.
  const said = shown.filter((what) => !(Array.isArray(what) && what.length === 1));
  t.deepEqual(said, [['insert', 1, 'hello'], 'Ann is typing']);
  t.true(shown.some((what) => Array.isArray(what) && (what[0] === 1 || (what[0] as string[])[0] === '42')));
});

test('The progress of a job moves the bar, and the badge of the inbox counts what is unread', async (t) => {
  const app = await startApp(t);
  const stream = await app.streamOf('42');
  const scope = { bar: { value: 0 }, badge: { textContent: -1 }, unread: 0 } as Record<string, unknown>;
  const here = page(scope);
  await here.run(find('js', 'djr:job:7'));
  await here.run(find('js', 'djr:notification'));
  await sql(app, 'create table job');
  t.like((await sql(app, 'create table notification'))[0], { unread: '0' });
  await stream.count(4);
  const values: unknown[] = [];
  for (const frame of stream.events) {
    await here.fire(frame);
    values.push([(scope.bar as { value: number }).value, scope.unread]);
  }
  t.deepEqual(values, [
    [0, 0],
    [0.1, 0],
    [0.1, 1],
    [0.1, 0],
  ]);
  t.is((scope.badge as { textContent: number }).textContent, 0);
});

test('An answer that streams is whole also where the page was away in the middle', async (t) => {
  const app = await startApp(t);
  const scope = {
    text: '',
    fetch: async () => {
      const [row] = await app.db.query('select text from answer where id = 1');
      return { text: async () => row!.text as string };
    },
  } as Record<string, unknown>;
  const here = page(scope);
  await here.run(find('js', 'djr:token:1'));
  const statements = find('sql', 'create table answer').split(/(?<=;\n)/);
  const first = statements.findIndex((one) => one.includes('djr.publish')) + 1;
  const client = await app.db.connect();
  const before = await app.streamOf('ann');
  for (const one of statements.slice(0, first)) await client.query(one);
  await here.fire(await before.event('token'));
  t.is(scope.text, 'Once');
  const { lastEventId } = before;
  before.close();
  for (const one of statements.slice(first)) await client.query(one);
  const after = await app.streamOf('ann', '', { lastEventId });
  await after.event('answer');
  await fireAll(here, after);
  t.is(scope.text, 'Once upon a time.');
});

test('An optimistic page waits for the event that its own write published', async (t) => {
  const app = await startApp(t);
  const stream = await app.streamOf('42');
  const steps: unknown[] = [];
  const scope = {
    change: 'changed',
    body: 'text=changed',
    show: (what: unknown) => steps.push(what),
    fetch: async () => ({ json: async () => (await sql(app, "'renamed'"))[0] }),
    djr: { seen: async (id: unknown) => steps.push(Number(id)) },
  };
  await page(scope).run(find('js', 'djr.seen'));
  const { id } = await stream.event('renamed');
  t.deepEqual(steps, ['changed', Number.parseInt(id!, 10)]);
});

test('The consumer of the page has what was published before it ran, and logout everywhere ends the streams', async (t) => {
  const app = await startApp(t);
  await app.db.query(`select djr.publish_system('order_paid', '{"order_id": 7}')`);
  await sql(app, 'djr.create_consumer');
  const sent: unknown[] = [];
  const send = async ({ type }: { type: string }) => sent.push(type);
  await page({ realtime: app.realtime, send }).run(find('js', 'realtime.consume'));
  await until('it was sent', () => sent.length === 1);
  t.deepEqual(sent, ['order_paid']);
  const stream = await app.streamOf('42');
  await sql(app, 'djr.disconnect');
  await stream.end();
});

test('Each task begins with the lines that do it', async (t) => {
  const text = await readFile(new URL('../../docs/tasks.md', import.meta.url), 'utf8');
  const sections = text.split(/^## /m).slice(1);
  t.is(sections.length, 11);
  for (const section of sections) t.regex(section, /^.+\n\n```(?:sql|sh)\n/, section.split('\n')[0]);
});
