import { Presets, SingleBar } from 'cli-progress';

/** Milliseconds between two lines if there is no terminal; a short run prints none. */
const LINE_EVERY = 5000;

/** Shows how far a long command has come, on stderr: as a bar on a terminal, otherwise as a line now and then. */
export class Progress {
  readonly #word: string;
  readonly #total: number;
  readonly #bar: SingleBar | undefined;
  #lastLine = performance.now();

  /** @param word - what is counted: `events deleted`, for example */
  constructor(word: string, total: number) {
    this.#word = word;
    this.#total = total;
    if (!process.stderr.isTTY) return;
    const format = `{bar} {percentage} % | {value} of {total} ${word} | {eta_formatted} left`;
    this.#bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true }, Presets.shades_classic);
    this.#bar.start(total, 0);
  }

  update(done: number): void {
    this.#bar?.update(done);
    const now = performance.now();
    if (this.#bar || now - this.#lastLine < LINE_EVERY) return;
    this.#lastLine = now;
    process.stderr.write(`${done} of ${this.#total} ${this.#word}\n`);
  }

  stop(): void {
    this.#bar?.stop();
  }
}
