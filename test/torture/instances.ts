import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/testing/embedded.js';

const MODULE = fileURLToPath(new URL('./instance.ts', import.meta.url));

interface Slot {
  readonly port: number;
  child: ChildProcess | undefined;
}

/** The runtimes behind an imagined load balancer: each slot has a port, and a process or none. */
export class Instances {
  readonly #database: string;
  readonly #options: object;
  readonly #log: (line: string) => void;
  readonly #slots: Slot[] = [];

  constructor(database: string, options: object, log: (line: string) => void) {
    this.#database = database;
    this.#options = options;
    this.#log = log;
  }

  async prepare(slots: number): Promise<void> {
    for (let i = 0; i < slots; i += 1) this.#slots.push({ port: await freePort(), child: undefined });
  }

  /** Ports on which a process runs, or did a moment ago. */
  get ports(): number[] {
    return this.#slots.filter(({ child }) => child).map(({ port }) => port);
  }

  runs(slot: number): boolean {
    return this.#slots[slot]!.child !== undefined;
  }

  async start(index: number): Promise<void> {
    const slot = this.#slots[index]!;
    const child = fork(MODULE, [this.#database, String(slot.port), JSON.stringify(this.#options)], {
      execArgv: ['--import=tsx'],
    });
    slot.child = child;
    await new Promise<void>((resolve) => {
      child.on('message', (message: { listening?: true; log?: string }) => {
        if (message.listening) resolve();
        if (message.log) this.#log(`instance ${index}: ${message.log}`);
      });
      child.once('exit', (code, signal) => {
        if (signal !== 'SIGKILL' && code !== 0) this.#log(`instance ${index} ended: ${code ?? signal}`);
        if (code !== null && code !== 0) this.crashes += 1;
        if (slot.child === child) slot.child = undefined;
        resolve();
      });
    });
  }

  /** Processes that ended by themselves: always a defect. */
  crashes = 0;

  async end(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this.#slots[index]!;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  }

  /** What each says of itself. */
  async health(): Promise<string> {
    const answers = this.ports.map((port) =>
      fetch(`http://127.0.0.1:${port}/realtime/healthz`)
        .then((response) => response.text())
        .catch((error: Error) => error.message),
    );
    return (await Promise.all(answers)).join('\n');
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#slots.map((_, i) => this.end(i, 'SIGKILL')));
  }
}
