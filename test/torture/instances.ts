import type { ChildProcess } from 'node:child_process';
import { freePort } from '../../src/testing/embedded.js';
import { forkCompiled } from '../helpers/fork-compiled.js';

const MODULE = new URL('./instance.ts', import.meta.url);

interface Slot {
  readonly port: number;
  child: ChildProcess | undefined;
}

/** The runtimes behind an imagined load balancer: each slot has a port, and a process or none. */
export class Instances {
  readonly #database: string;
  readonly #optionsOf: (slot: number) => object;
  readonly #isEdge: (slot: number) => boolean;
  readonly #log: (line: string) => void;
  readonly #slots: Slot[] = [];

  /**
   * @param optionsOf - the options of the instance in a slot
   * @param isEdge - which slots have the relay, and no database
   */
  constructor(
    database: string,
    optionsOf: (slot: number) => object,
    log: (line: string) => void,
    isEdge: (slot: number) => boolean = () => false,
  ) {
    this.#isEdge = isEdge;
    this.#database = database;
    this.#optionsOf = optionsOf;
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
    const database = this.#isEdge(index) ? '' : this.#database;
    const child = forkCompiled(MODULE, [database, String(slot.port), JSON.stringify(this.#optionsOf(index))]);
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

  /** Stops a process where it stands, or lets it go on. */
  signal(index: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#slots[index]!.child?.kill(signal);
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
