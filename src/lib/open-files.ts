import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { codeOf } from './error-code.js';
import type { Logger } from './logger.js';
import type { Meter } from './meter.js';
import { Periodic } from './periodic.js';

/** Milliseconds between two looks. */
const LOOK = 1000;

/** Too many open files of this process, of the machine. */
const CODES = new Set(['EMFILE', 'ENFILE']);

/**
 * Looks whether this process may open one more file. When it may not, the operating system cuts new connections, and Node says
 * nothing of it: no request comes, no error.
 */
export class OpenFiles {
  /** Looks that found none left. */
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
