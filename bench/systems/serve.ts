import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../../src/testing/embedded.js';
import type { Protocol } from '../load/stream.js';
import { haproxyConfig, nginxConfig } from './proxies.js';
import type { Transport } from './system.js';

export interface Served {
  /** Where clients connect: the proxy's where there is one. */
  port: number;
  protocol: Protocol;
  /** What the proxy's processes take: bytes, and microseconds since they began. */
  proxy(): { rss: number; cpu: number } | undefined;
  /** Takes no more connections. */
  close(): void;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves by Node itself, or by Node behind a proxy with TLS. @param http2 - whether clients speak HTTP/2 to a proxy */
export async function serve(transport: Transport, handler: Handler, http2 = false): Promise<Served> {
  const folder = mkdtempSync(path.join(tmpdir(), 'djr-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  if (transport === 'http') return own(await listen(createServer(handler)), 'sse');
  const { cert, key, both } = certificate(folder);
  if (transport === 'https') return own(await listen(createTlsServer({ cert, key }, handler)), 'https');
  if (transport === 'http2') {
    // Its requests and responses are those of node:http as far as an app uses them.
    const server = createSecureServer({ cert, key }, handler as never);
    return own(await listen(server as unknown as Server), 'http2');
  }
  const server = await listen(createServer(handler));
  const behind = (server.address() as AddressInfo).port;
  const port = await freePort();
  const file = path.join(folder, 'proxy.conf');
  writeFileSync(file, (transport === 'nginx' ? nginxConfig : haproxyConfig)({ folder, both, port, behind }));
  const args = transport === 'nginx' ? ['-c', file, '-p', folder] : ['-db', '-f', file];
  const child = spawn(transport, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await reachable(port);
  return { ...own(server, http2 ? 'http2' : 'https'), port, proxy: () => usageOf(child.pid!) };
}

const own = (server: Server, protocol: Protocol): Served => ({
  port: (server.address() as AddressInfo).port,
  protocol,
  proxy: () => undefined,
  close: () => void server.close(),
});

async function listen(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return server;
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (answered) return;
    await setTimeout(50);
  }
  throw new Error('The proxy took no connection within 20 s.');
}

/** Signed by itself. An elliptic curve, as most certificates have now. */
function certificate(folder: string): { cert: Buffer; key: Buffer; both: string } {
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const args = [
    'req',
    '-x509',
    ...curve,
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-keyout',
    key,
    '-out',
    cert,
  ];
  const { status, error, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl made no certificate: ${error?.message ?? stderr}`);
  writeFileSync(both, Buffer.concat([readFileSync(cert), readFileSync(key)]));
  return { cert: readFileSync(cert), key: readFileSync(key), both };
}

/** Of the kernel's clock for processes, a hundredth of a second each on every Linux that Node runs on. */
const TICK = 10_000;

/** What a process of one thread takes, as Linux counts it. */
function usageOf(pid: number): { rss: number; cpu: number } {
  // The name may have blanks; behind its closing bracket the third field begins.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return { rss: Number(rss) * 1024, cpu: (Number(fields[11]) + Number(fields[12])) * TICK };
}
