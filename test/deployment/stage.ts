import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import type { Finding } from '../../src/doctor/findings.js';
import { createRealtime, type Realtime, type RealtimeOptions } from '../../src/index.js';
import { freePort } from '../../src/testing/embedded.js';
import { type Certificate, selfSigned } from '../helpers/certificate.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { byHeader, recordingLogger, until } from '../helpers/server.js';
import { openStream, type StreamOptions } from '../helpers/stream.js';

export type Owner = Pick<ExecutionContext, 'teardown'>;

/** Milliseconds. The documents have 15 s in front of time-outs of 60 s, and tests a quarter of theirs of 4 s. */
const HEARTBEAT = 1000;

/** An admin behind a login of the app. */
const authorize = (request: Request): boolean | Response =>
  request.headers.get('x-admin') === 'login'
    ? Response.redirect(new URL('/login', request.url))
    : request.headers.get('x-admin') === 'yes';

/** How a proxy is started in the foreground, and told to end without hurry. */
export interface ProxyProgram {
  /** Writes its configuration out of the document. @returns the command that runs it */
  configure(context: ProxyContext): Promise<string[]>;
  /** How it writes the address of a Unix socket: what stands in the document before the path. */
  socket?: string;
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
  /** Where they are, as the proxy writes it. */
  upstreams: [string, string];
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
  const ports: ProxyContext['instances'] = [instances[0]!.port, instances[1]!.port];
  const [command, ...args] = await program.configure({
    folder,
    port,
    certificate,
    instances: ports,
    upstreams: [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`],
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

export const publish = ({ db }: Stage, user: string, n: number) =>
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
