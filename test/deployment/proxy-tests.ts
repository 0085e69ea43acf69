import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestFn } from 'ava';
import { start } from '../cli/helpers.js';
import { until } from '../helpers/server.js';
import { ask, doctor, findings, type Owner, type ProxyProgram, publish, type Stage, startStage } from './stage.js';

/** What every proxy must do, with the configuration that the document has. */
export function proxyTests(name: string, withProxy: TestFn | TestFn['skip'], program: ProxyProgram): void {
  const ends: (() => unknown)[] = [];
  const owner: Owner = { teardown: (end) => void ends.push(end) };
  let stage: Stage;
  if (withProxy !== test.skip) {
    test.before(async () => {
      stage = await startStage(owner, program);
    });
    test.after.always(async () => {
      for (const end of ends.reverse()) await end();
    });
  }

  withProxy(
    `${name}: the first byte comes at once, events come, and heartbeats keep a quiet stream past the time-outs`,
    async (t) => {
      const stream = await stage.stream(t);
      t.is(stream.status, 200);
      t.regex(String(stream.headers['content-type']), /^text\/event-stream/);
      t.is(stream.headers['content-encoding'], undefined);
      await publish(stage, 'ann', 1);
      await stream.count(1);
      const before = stream.comments.length;
      // Nine of a second are more than twice a time-out of 4 s.
      await stream.until('heartbeats', () => stream.comments.length >= before + 9);
      t.false(stream.ended);
    },
  );

  withProxy(`${name}: a client that goes is noticed`, async (t) => {
    const connections = async () =>
      (await Promise.all(stage.instances.map((instance) => instance.connections()))).reduce((a, b) => a + b, 0);
    await until('no streams are left of before', async () => (await connections()) === 0);
    const [witness, ...streams] = await Promise.all([stage.stream(t), stage.stream(t), stage.stream(t)]);
    t.is(await connections(), 3);
    const before = witness!.comments.length;
    for (const stream of streams) stream.close();
    await until('the instances notice it', async () => (await connections()) === 1);
    // Not by the proxy's time-out, of four heartbeats.
    t.true(witness!.comments.length - before < 3);
  });

  withProxy(`${name}: each user has their own stream: no shared cache answers`, async (t) => {
    const [ann, bob] = await Promise.all([stage.stream(t, 'ann'), stage.stream(t, 'bob')]);
    await publish(stage, 'ann', 1);
    await publish(stage, 'bob', 2);
    await publish(stage, 'ann', 3);
    t.deepEqual(
      (await ann.count(2)).map(({ data }) => data.n),
      [1, 3],
    );
    t.deepEqual(
      (await bob.count(1)).map(({ data }) => data.n),
      [2],
    );
    t.regex(String(ann.headers['cache-control']), /no-cache|no-store/);
    t.is(ann.headers.age, undefined);
  });

  withProxy(`${name}: the browser's Host arrives, metrics are closed, healthz and the script are not`, async (t) => {
    const { origin } = stage;
    t.is((await ask(stage, '/realtime/sse/', { origin, 'x-user': 'ann' })).status, 200);
    t.is((await ask(stage, '/realtime/sse/', { origin: 'https://evil.example' })).status, 403);
    for (const path of ['/realtime/metrics', '/realtime/metrics/', '/realtime/metrics?a=b']) {
      t.is((await ask(stage, path)).status, 404, path);
    }
    t.is((await ask(stage, '/realtime/healthz')).status, 200);
    t.is((await ask(stage, '/realtime/djr.js')).status, 200);
  });

  withProxy(`${name}: browsers get HTTP/2`, async (t) => {
    const session = connectHttp2(stage.origin, { ca: stage.certificate.ca });
    t.teardown(() => session.destroy());
    const stream = session.request({ ':path': '/realtime/sse/', 'x-user': 'ann', origin: stage.origin });
    const [headers] = await once(stream, 'response');
    t.is(headers[':status'], 200);
    t.is(stage.certificate && session.alpnProtocol, 'h2');
    const [chunk] = await once(stream, 'data');
    t.regex(String(chunk), /connected|retry/);
    stream.close();
  });

  withProxy(`${name}: redirects and cookies of the admin are https, as the browser's address is`, async (t) => {
    await publish(stage, 'ann', 1);
    const [event] = await stage.db.query<{ id: string }>('select max(id) as id from djr.event');
    const login = await ask(stage, '/realtime/admin/', { 'x-admin': 'login' });
    t.is(login.headers.location, `${stage.origin}/login`);
    const asked = await ask(stage, `/realtime/admin/replay/?id=${event!.id}`, { 'x-admin': 'yes' });
    t.is(asked.status, 200);
    t.regex(String(asked.headers['set-cookie']), /; Secure/);
  });

  withProxy(`${name}: doctor --url finds the way through it good`, async (t) => {
    const { stdout, status } = await doctor(stage, '/realtime/');
    t.is(status, 0, stdout);
    for (const { check, state } of findings(stdout)) t.is(state, 'ok', check);
    t.is(findings(stdout).length, 8);
  });

  withProxy(`${name}: a deploy of one instance after the other loses no event, and refuses nobody`, async (t) => {
    let resets = 0;
    let published = 0;
    let publishes = true;
    let done = false;
    const refused: number[] = [];
    let connected = 0;
    const clients = Array.from({ length: 6 }, async () => {
      const mine = new Set<number>();
      let lastEventId: string | undefined;
      while (!done || mine.size < published) {
        const stream = await stage.stream(t, 'ann', { lastEventId });
        if (stream.status !== 200) {
          refused.push(stream.status);
          continue;
        }
        if (lastEventId === undefined) connected += 1;
        const collect = () => {
          for (const { data } of stream.events) mine.add(data.n as number);
          return stream.ended || (done && mine.size >= published);
        };
        await stream.until('the end, or all', collect);
        lastEventId = stream.lastEventId || lastEventId;
        resets += stream.resets.length;
        stream.close();
      }
      return mine;
    });
    await until('all are connected', () => connected === 6);
    const publishing = (async () => {
      while (publishes) {
        published += 1;
        await publish(stage, 'ann', published);
      }
    })();
    for (const instance of stage.instances) {
      const before = published;
      await until('events are on their way', () => published > before + 20);
      // What --drain does: the balancer hears of it before new streams are refused.
      instance.realtime.drain();
      const other = stage.instances.find((one) => one !== instance)!;
      await until('the other serves', async () => (await fetch(`http://127.0.0.1:${other.port}/realtime/healthz`)).ok);
      await instance.stop();
      const then = published;
      await until('events are on their way', () => published > then + 20);
      await instance.start();
      await until('the proxy sends clients there again', async () => {
        const stream = await stage.stream(t, 'other');
        const found = (await instance.connections()) > 0;
        if (!found) stream.close();
        return found;
      });
    }
    publishes = false;
    await publishing;
    done = true;
    for (const mine of await Promise.all(clients)) t.is(mine.size, published);
    t.is(resets, 0);
    t.deepEqual(refused, []);
  });

  withProxy(`${name}: it leads to a Unix socket, written as the document has it`, async (t) => {
    const text = await readFile(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
    t.regex(text, new RegExp(`\`[^\`]*${program.socket}/run/djr/djr\\.sock;?\` in ${name}`));
    const folder = await mkdtemp(path.join(tmpdir(), 'djr-socket-'));
    await chmod(folder, 0o755);
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const socket = path.join(folder, 'djr.sock');
    const upstream = `${program.socket}${socket}`;
    const own = await startStage(t, {
      ...program,
      configure: (context) => program.configure({ ...context, upstreams: [upstream, upstream] }),
    });
    const serve = start(t, ['serve', '-d', own.db.url, '--listen', `unix:${socket}`, '--trust-proxy', 'unix']);
    await serve.printed(/^listening on /);
    await until('the proxy leads there', async () => (await ask(own, '/realtime/healthz')).status === 200);
    const stream = await own.stream(t);
    t.is(stream.status, 200);
    await own.db.query("select djr.publish_public('note')");
    await stream.count(1);
    t.is((await Promise.all(own.instances.map((instance) => instance.connections()))).join(), '0,0');
  });

  withProxy(`${name}: it ends within its grace although streams are open`, async (t) => {
    await stage.stream(t);
    const ended = once(stage.proxy, 'exit');
    stage.proxy.kill(program.endSignal ?? 'SIGTERM');
    await ended;
    t.pass();
  });
}
