import type { Frontier } from '../event/frontier.js';

/** What PostgreSQL remembers of the log: at this sequence of this generation, all that is visible in this frontier was in it. */
export interface Mark {
  readonly generation: string;
  readonly sequence: number;
  readonly frontier: Frontier;
}

/** Where PostgreSQL keeps some of the last marks, as the engine may lose what it has acknowledged. */
export interface Ring {
  record(mark: Mark): Promise<void>;
  /** The newest first. */
  marks(): Promise<Mark[]>;
}

/** Which of the sources should write. It only makes a take-over quick: the chain of the log decides who can. */
export interface Election {
  /** Whether this source is the one; it asks again where it was not. */
  win(): Promise<boolean>;
  /** Lets another source be the one. */
  yield(): Promise<void>;
}
