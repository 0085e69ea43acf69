import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { ExecutionContext } from 'ava';
import { freePort } from '../../src/testing/embedded.js';
import { takeTurn } from './turn.js';

/** What `NATS_SERVER` names, or Debian's, which is not on everybody's path. */
const COMMAND = process.env.NATS_SERVER || 'nats-server';
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };

/** One nats-server, which can be killed and comes back with what it had. */
export class NatsServer {
  readonly url: string;
  readonly name: string;
  readonly #config: string;
  readonly #store: string;
  #process: ChildProcess | undefined;

  constructor(name: string, url: string, config: string, store: string) {
    this.name = name;
    this.url = url;
    this.#config = config;
    this.#store = store;
  }

  async start(): Promise<void> {
    this.#process = spawn(COMMAND, ['-c', this.#config], { stdio: 'ignore', env: ENVIRONMENT });
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  /** As a machine that loses its power. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Kills it and takes all that it has stored. */
  async wipe(): Promise<void> {
    await this.kill();
    await rm(this.#store, { recursive: true, force: true });
  }
}

export interface Nats {
  readonly servers: readonly NatsServer[];
  readonly urls: string[];
  /** Resolves when JetStream works, and each copy of a stream has what its leader has: only then one more server may die. */
  ready(): Promise<void>;
  /** All of them lose all that they have, and start anew. */
  wipe(): Promise<void>;
}

/**
 * Starts nats-server with JetStream, one or a cluster of three, for this test.
 *
 * @param config - more of the servers' configuration; `login` is then what looks whether they are there
 */
export async function startNats(
  t: Pick<ExecutionContext, 'teardown'>,
  { count = 1, config: more = '', login = {} }: { count?: 1 | 3; config?: string; login?: object } = {},
): Promise<Nats> {
  await takeTurn(t);
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-nats-'));
  const ports = await Promise.all(Array.from({ length: count * 2 }, freePort));
  const routes = ports.slice(count).map((port) => `nats-route://127.0.0.1:${port}`);
  const servers: NatsServer[] = [];
  for (let i = 0; i < count; i += 1) {
    const store = path.join(folder, `store-${i}`);
    const config = path.join(folder, `server-${i}.conf`);
    const lines = [
      `server_name: n${i}`,
      `listen: "127.0.0.1:${ports[i]}"`,
      `jetstream { store_dir: "${store}" }`,
      more,
      count > 1 && `cluster { name: djr, listen: "127.0.0.1:${ports[count + i]}", routes: ${JSON.stringify(routes)} }`,
    ];
    await writeFile(config, lines.filter(Boolean).join('\n'));
    servers.push(new NatsServer(`n${i}`, `nats://127.0.0.1:${ports[i]}`, config, store));
  }
  const stop = async () => {
    for (const server of servers) server.signal('SIGCONT');
    await Promise.all(servers.map((server) => server.kill()));
  };
  t.teardown(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });
  const urls = servers.map(({ url }) => url);
  const ready = () => jetstreamIsThere(urls, login);
  await Promise.all(servers.map((server) => server.start()));
  await ready();
  return {
    servers,
    urls,
    ready,
    async wipe() {
      await Promise.all(servers.map((server) => server.wipe()));
      await Promise.all(servers.map((server) => server.start()));
      await ready();
    },
  };
}

async function areCopiesCurrent(manager: JetStreamManager): Promise<boolean> {
  for await (const { cluster } of manager.streams.list()) {
    // A server by itself may say nothing of a cluster.
    if (!cluster) continue;
    if (!cluster.leader || !(cluster.replicas ?? []).every(({ current, offline }) => current && !offline)) return false;
  }
  return true;
}

/** A cluster elects the leader of its own log first, which takes seconds. */
async function jetstreamIsThere(servers: string[], login: object): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const connection = await connect({ servers, ...login, timeout: 1000, reconnect: false });
      try {
        const manager = await jetstreamManager(connection, { timeout: 1000 });
        await manager.getAccountInfo();
        if (await areCopiesCurrent(manager)) return;
        throw new Error('a copy of a stream is not current');
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (attempt > 300) throw error;
      await setTimeout(100);
    }
  }
}
