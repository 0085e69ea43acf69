import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { codeOf } from './error-code.js';
import type { Logger } from './logger.js';
import type { Meter } from './meter.js';
import { Periodic } from './periodic.js';

/** Milliseconds between two checks. */
const LOOK = 1000;

/** Node's codes for too many open files, of this process and of the machine. */
const CODES = new Set(['EMFILE', 'ENFILE']);

/**
 * Checks whether this process can open one more file. If it cannot, the operating system cuts new connections, and Node reports nothing:
 * there is neither a request nor an error.
 */
export class OpenFiles {
  /** How many checks could not open a file. */
  exhausted = 0;
  readonly #logger: Logger;
  readonly #looks = new Periodic({ period: LOOK, round: () => this.#look() });
  #said = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  start(): void {
    this.#looks.start();
  }

  metrics(meter: Meter): void {
    meter.counter(
      'djr_open_files_exhausted_total',
      'Looks, one a second, that found the process at its limit of open files: new connections are cut',
      () => this.exhausted,
    );
  }

  stop(): Promise<void> {
    return this.#looks.stop();
  }

  async #look(): Promise<void> {
    try {
      const file = await open(devNull);
      await file.close();
      if (this.#said) this.#logger.info({}, 'there are open files left again');
      this.#said = false;
    } catch (err) {
      if (!CODES.has(codeOf(err) ?? '')) return;
      this.exhausted += 1;
      if (this.#said) return;
      this.#said = true;
      this.#logger.error(
        { err },
        'this process has as many open files as it may: new connections are cut. Raise its limit (LimitNOFILE, ulimit -n)',
      );
    }
  }
}
