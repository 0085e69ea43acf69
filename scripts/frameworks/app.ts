import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';

/** Milliseconds in which a framework must answer, the first time that something is asked of a development server included. */
const READY = 120_000;

/** Waits until it is true. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  milliseconds = READY,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${milliseconds} ms in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** An app that runs, in a process group of its own. */
export class App {
  readonly origin: string;
  readonly #child: ChildProcess;
  #log = '';

  constructor(command: string[], cwd: string, env: NodeJS.ProcessEnv, port: number) {
    this.origin = `http://127.0.0.1:${port}`;
    this.#child = spawn(command[0]!, command.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const output of [this.#child.stdout!, this.#child.stderr!]) output.on('data', (text) => (this.#log += text));
  }

  /** All that it has written. */
  get log(): string {
    return this.#log;
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Resolves when it answers. */
  async ready(): Promise<void> {
    await until('the app answers', async () => {
      if (this.#ended) throw new Error(`The app ended with ${this.#child.exitCode ?? this.#child.signalCode}.`);
      return fetch(this.origin).then(
        ({ status }) => status < 500,
        () => false,
      );
    });
  }

  /** Sends SIGTERM to the one process that was started. @returns milliseconds until nothing of it was left */
  async terminate(within: number): Promise<number> {
    const asked = performance.now();
    this.#child.kill('SIGTERM');
    await until('the app and what it started end', () => this.#ended && !this.#groupLives(), within);
    const took = Math.round(performance.now() - asked);
    const { exitCode, signalCode } = this.#child;
    // Some frameworks leave the process to the signal; what they must not do is fail.
    if (exitCode !== 0 && exitCode !== 143 && signalCode !== 'SIGTERM') {
      throw new Error(`The app ended with ${exitCode ?? signalCode}.`);
    }
    if (await listens(Number(new URL(this.origin).port))) throw new Error('Something still listens on its port.');
    return took;
  }

  #groupLives(): boolean {
    try {
      return process.kill(-this.#child.pid!, 0);
    } catch {
      return false;
    }
  }

  kill(): void {
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
