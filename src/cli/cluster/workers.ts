import cluster, { type Worker } from 'node:cluster';
import { inTime } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logger.js';
import { mergeMetrics } from './merge-metrics.js';

/** The messages between the processes of one `djr serve --workers`. */
export type Message =
  | { djr: 'ready'; address: string }
  | { djr: 'stop' }
  | { djr: 'ask'; id: number }
  | { djr: 'ping' }
  | { djr: 'pong' }
  | { djr: 'collect'; id: number }
  | { djr: 'collected'; id: number; text: string }
  | { djr: 'answer'; id: number; text: string };

/** A worker that ran for so many milliseconds is replaced at once; and the longest pause before a replacement, in milliseconds. */
const STEADY = 60_000;
const MOST_PAUSE = 10_000;

/** Milliseconds that workers may take to send their metrics. */
const METRICS_TIMEOUT = 2000;

/**
 * Milliseconds between two questions whether a worker answers. After so many unanswered questions it counts as hung, and after so many it
 * is ended and replaced. Questions are counted rather than time, so that workers are not blamed for a pause of this process or machine.
 */
const LOOK = 1000;
const HUNG = 3;
const ENDED = 10;

export const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'djr' in value;

export interface WorkersOptions {
  count: number;
  /** Environment variables of the workers, beside those of this process. */
  environment: Record<string, string>;
  logger: Logger;
  /** Milliseconds within which workers must end. */
  endTimeout: number;
}

/** The worker processes of one command. They share its port, and a worker that ends is replaced. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #collecting = new Map<number, (worker: number, text: string) => void>();
  /** For each serving worker how many questions in a row it has not answered. */
  readonly #unanswered = new Map<Worker, number>();
  #replaced = 0;
  #looking: NodeJS.Timeout | undefined;
  #stopping = false;
  #failures = 0;
  #asked = 0;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /**
   * Starts the workers. Resolves with the address when all of them serve.
   *
   * @throws if a worker ends before; it has logged why
   */
  async start(): Promise<string> {
    // The first one is started alone: an error in the configuration concerns all of them, and is then logged once.
    const address = await this.#fork();
    await Promise.all(Array.from({ length: this.#options.count - 1 }, () => this.#fork()));
    this.#looking = setInterval(() => this.#look(), LOOK);
    return address;
  }

  /** Ends workers that hang (in an endless loop, or as a stopped process): their clients get nothing. */
  #look(): void {
    for (const [worker, count] of this.#unanswered) {
      if (count === HUNG) this.#options.logger.error({ worker: worker.id }, 'a worker does not answer');
      if (count >= ENDED) {
        this.#options.logger.error({ worker: worker.id }, 'a worker hangs; it is ended');
        worker.process.kill('SIGKILL');
      }
      this.#unanswered.set(worker, count + 1);
      tell(worker, { djr: 'ping' });
    }
  }

  #fork(): Promise<string> {
    const worker = cluster.fork(this.#options.environment);
    const started = performance.now();
    return new Promise((resolve, reject) => {
      let ready = false;
      worker.on('message', (message: unknown) => {
        if (!isMessage(message)) return;
        if (message.djr === 'ready') {
          ready = true;
          this.#unanswered.set(worker, 0);
          resolve(message.address);
        } else if (message.djr === 'pong') {
          this.#unanswered.set(worker, 0);
        } else if (message.djr === 'ask') void this.#answer(worker, message.id);
        else if (message.djr === 'collected') this.#collecting.get(message.id)?.(worker.id, message.text);
      });
      worker.once('exit', (code, signal) => {
        this.#unanswered.delete(worker);
        if (this.#stopping) return;
        if (!ready) reject(new Error(`A worker ended before it was ready (${signal ?? `exit status ${code}`}).`));
        if (ready) this.#replace(worker, signal ?? code, performance.now() - started);
      });
    });
  }

  #replace(worker: Worker, why: string | number, lived: number): void {
    this.#replaced += 1;
    this.#failures = lived > STEADY ? 0 : this.#failures + 1;
    const pause = Math.min(MOST_PAUSE, this.#failures === 0 ? 0 : 100 * 2 ** Math.min(this.#failures, 7));
    this.#options.logger.error({ worker: worker.id, why, pause }, 'a worker ended; another is started');
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#fork().catch(() => {
        if (!this.#stopping) this.#replace(worker, 'it did not start', 0);
      });
    }, pause);
    this.#timers.add(timer);
  }

  /** Answers a request for metrics, which reaches one worker, with the metrics of all. */
  async #answer(worker: Worker, id: number): Promise<void> {
    const all = this.#alive().filter((one) => !this.#hangs(one));
    const texts = new Map<string, string>();
    const request = ++this.#asked;
    const collected = new Promise<void>((resolve) => {
      this.#collecting.set(request, (from, text) => {
        texts.set(String(from), text);
        if (texts.size >= all.length) resolve();
      });
      for (const one of all) tell(one, { djr: 'collect', id: request });
    });
    await inTime(collected, METRICS_TIMEOUT);
    this.#collecting.delete(request);
    tell(worker, { djr: 'answer', id, text: `${mergeMetrics(texts)}\n${this.#metrics()}` });
  }

  /** Metrics that only the first process knows. */
  #metrics(): string {
    const hung = [...this.#unanswered.keys()].filter((worker) => this.#hangs(worker)).length;
    return `# HELP djr_workers Worker processes, by state
# TYPE djr_workers gauge
djr_workers{state="serving"} ${this.#unanswered.size - hung}
djr_workers{state="hung"} ${hung}

# HELP djr_workers_replaced_total Worker processes that ended, or hung and were ended, and were replaced
# TYPE djr_workers_replaced_total counter
djr_workers_replaced_total ${this.#replaced}
`;
  }

  #hangs(worker: Worker): boolean {
    return (this.#unanswered.get(worker) ?? 0) >= HUNG;
  }

  /** Resolves when all have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#looking);
    for (const timer of this.#timers) clearTimeout(timer);
    const all = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    const ended = all.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    // They are told by a message and not by a signal: Ctrl-C has reached them already, and a second signal would end them at once.
    for (const worker of all) tell(worker, { djr: 'stop' });
    const impatience = setTimeout(() => {
      for (const worker of all) worker.process.kill('SIGKILL');
    }, this.#options.endTimeout);
    await Promise.all(ended);
    clearTimeout(impatience);
  }

  #alive(): Worker[] {
    return Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected()) as Worker[];
  }
}

/** Sends a message to a worker, unless it has just ended. */
const tell = (worker: Worker, message: Message): void => {
  if (worker.isConnected()) worker.send(message, () => {});
};
