import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { freePort } from '../../src/testing/embedded.js';

/** What `NATS_SERVER` names, or Debian's, which is not on everybody's path. */
const COMMAND = process.env.NATS_SERVER || 'nats-server';
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** Hundredths of a second for which it is waited for. */
const PATIENCE = 1000;

/** Starts a nats-server with JetStream, which ends with this process. @returns its address @throws when there is none */
export async function startNatsServer(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'djr-bench-nats-'));
  const port = await freePort();
  const child = spawn(COMMAND, ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder], {
    stdio: 'ignore',
    env: { ...process.env, PATH },
  });
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `nats://127.0.0.1:${port}`;
  await ready(child, url);
  return url;
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  let failure: unknown;
  child.once('error', (error) => {
    failure = error;
  });
  for (let left = PATIENCE; left > 0 && failure === undefined; left -= 1) {
    try {
      const connection = await connect({ servers: url, reconnect: false, timeout: 1000 });
      await (await jetstreamManager(connection)).getAccountInfo().finally(() => connection.close());
      return;
    } catch {
      await pause(10);
    }
  }
  throw new Error(`nats-server must be there (NATS_SERVER, or on the path): ${String(failure ?? 'no answer')}`);
}
