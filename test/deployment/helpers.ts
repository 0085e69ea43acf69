import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext, type TestFn } from 'ava';
import type { Finding } from '../../src/doctor/findings.js';
import { createRealtime, type Realtime, type RealtimeOptions } from '../../src/index.js';
import { freePort } from '../../src/testing/embedded.js';
import { type Certificate, selfSigned } from '../helpers/certificate.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { byHeader, recordingLogger, until } from '../helpers/server.js';
import { openStream, type StreamOptions } from '../helpers/stream.js';

type Owner = Pick<ExecutionContext, 'teardown'>;

/** Milliseconds. The documents have 15 s in front of time-outs of 60 s, and tests a quarter of theirs of 2 s. */
const HEARTBEAT = 500;

/** An admin behind a login of the app. */
const authorize = (request: Request): boolean | Response =>
  request.headers.get('x-admin') === 'login'
    ? Response.redirect(new URL('/login', request.url))
    : request.headers.get('x-admin') === 'yes';

/** How a proxy is started in the foreground, and told to end without hurry. */
export interface ProxyProgram {
  /** Writes its configuration out of the document. @returns the command that runs it */
  configure(context: ProxyContext): Promise<string[]>;
  /** @defaultValue SIGTERM */
  endSignal?: NodeJS.Signals;
}

export interface ProxyContext {
  folder: string;
  /** Where it listens with TLS. */
  port: number;
  certificate: Certificate;
  /** The instances' ports. */
  instances: [number, number];
}

/** One instance behind a proxy, on a port that it keeps. */
class Instance {
  readonly #options: RealtimeOptions;
  readonly port: number;
  realtime!: Realtime;
  #server: Server | undefined;

  constructor(port: number, options: RealtimeOptions) {
    this.port = port;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.realtime = createRealtime(this.#options);
    await this.realtime.start();
    const handler: RequestListener = (req, res) => void this.realtime.handler(req, res);
    this.#server = createServer(handler).listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async connections(): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/realtime/metrics`)).text();
    return Number(/^djr_connections (\d+)$/m.exec(text)![1]);
  }

  /** As a deploy does. */
  async stop(): Promise<void> {
    this.#server?.close();
    await this.realtime.stop();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }
}

export interface Stage {
  readonly db: TestDatabase;
  readonly port: number;
  readonly origin: string;
  readonly certificate: Certificate;
  readonly instances: [Instance, Instance];
  readonly proxy: ChildProcess;
  /** What it said. */
  log(): string;
  stream(t: Owner, user?: string, options?: StreamOptions): ReturnType<typeof openStream>;
}

/** Two instances, and a proxy with the document's configuration in front of them. */
export async function startStage(owner: Owner, program: ProxyProgram): Promise<Stage> {
  const db = await createDatabase(owner);
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-proxy-'));
  await chmod(folder, 0o755);
  owner.teardown(() => rm(folder, { recursive: true, force: true }));
  const certificate = await selfSigned(folder);
  const instances = await Promise.all(
    [0, 1].map(async () => {
      const { logger } = recordingLogger();
      const options: RealtimeOptions = {
        database: db.url,
        authenticate: byHeader,
        admin: { authorize },
        trustProxy: ['127.0.0.1'],
        logger,
        heartbeat: HEARTBEAT,
        shutdownGrace: 2000,
      };
      const instance = new Instance(await freePort(), options);
      await instance.start();
      owner.teardown(() => instance.stop());
      return instance;
    }),
  );
  const port = await freePort();
  const [command, ...args] = await program.configure({
    folder,
    port,
    certificate,
    instances: [instances[0]!.port, instances[1]!.port],
  });
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const proxy = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const exited = once(proxy, 'exit');
  owner.teardown(async () => {
    // Its own children end with it only when it is asked.
    proxy.kill('SIGTERM');
    await exited;
  });
  let log = '';
  for (const output of [proxy.stdout, proxy.stderr]) output.on('data', (chunk) => (log += chunk));
  await until('the proxy answers', async () => {
    if (proxy.exitCode !== null) throw new Error(`${command} ended with ${proxy.exitCode}: ${log}`);
    return answers(port);
  });
  const origin = `https://localhost:${port}`;
  return {
    db,
    port,
    origin,
    certificate,
    instances: [instances[0]!, instances[1]!],
    proxy,
    log: () => log,
    stream: (t, user = 'ann', options = {}) =>
      openStream(t, `${origin}/realtime/sse/`, {
        ...options,
        ca: certificate.ca,
        headers: { 'x-user': user, ...options.headers },
      }),
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
}

/** The status and headers of one request through the proxy. */
export const ask = ({ origin, certificate }: Stage, target: string, headers: Record<string, string> = {}) =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request(`${origin}${target}`, { headers, ca: certificate.ca, agent: false }, (response) => {
      resolve({ status: response.statusCode!, headers: response.headers });
      sent.destroy();
    });
    sent.once('error', reject);
    sent.end();
  });

const publish = ({ db }: Stage, user: string, n: number) =>
  db.query("select djr.publish($1::text, 'note', jsonb_build_object('n', $2::int))", [user, n]);

/** Runs `djr doctor --url` against a path behind the proxy, as the user ann. */
export async function doctor({ origin, certificate }: Stage, path: string, patience = 10) {
  const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;
  const args = [
    'doctor',
    '--json',
    '--patience',
    String(patience),
    '--url',
    `${origin}${path}`,
    '--header',
    'x-user: ann',
  ];
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate.certificate },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { stdout, status: status as number };
}

export const findings = (stdout: string): Finding[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

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
      // Nine of 500 ms are more than twice a time-out of 2 s.
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

  withProxy(`${name}: it ends within its grace although streams are open`, async (t) => {
    await stage.stream(t);
    const ended = once(stage.proxy, 'exit');
    stage.proxy.kill(program.endSignal ?? 'SIGTERM');
    await ended;
    t.pass();
  });
}
