import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import type { Logger } from './logger.js';

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
  #timer: NodeJS.Timeout | undefined;
  #said = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), LOOK);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    try {
      const file = await open(devNull);
      await file.close();
      if (this.#said) this.#logger.info({}, 'there are open files left again');
      this.#said = false;
    } catch (err) {
      if (!(err instanceof Error && 'code' in err && CODES.has(err.code as string))) return;
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
