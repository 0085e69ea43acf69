import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import type { Subjects } from './subjects.js';

const NANOSECONDS = 1_000_000;

/** Milliseconds for which a log that is made anew keeps what it has. */
export const HOUR = 3_600_000;

const STREAM_NOT_FOUND = 10059;

/** The stream that holds the log. */
export class LogStream {
  readonly #manager: JetStreamManager;
  readonly #subjects: Subjects;

  constructor(manager: JetStreamManager, subjects: Subjects) {
    this.#manager = manager;
    this.#subjects = subjects;
  }

  /** Its configuration and state, of its leader; undefined: there is none. */
  async info(): Promise<StreamInfo | undefined> {
    try {
      return await this.#manager.streams.info(this.#subjects.stream);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Makes the stream where there is none. @param maxAge - milliseconds; undefined: what it has, or an hour */
  async prepare(maxAge: number | undefined): Promise<void> {
    const info = await this.info();
    // What its owner gave a stream that is there stays: copies, placement, limits.
    if (info) {
      if (maxAge === undefined || info.config.max_age === maxAge * NANOSECONDS) return;
      const max_age = maxAge * NANOSECONDS;
      // The engine refuses an age below this window, in which it compares ids that the relay's messages do not have.
      const duplicate_window = Math.min(info.config.duplicate_window, max_age);
      await this.#manager.streams.update(this.#subjects.stream, { max_age, duplicate_window });
      return;
    }
    const { log, stream } = this.#subjects;
    const config = {
      name: stream,
      subjects: [log],
      max_age: (maxAge ?? HOUR) * NANOSECONDS,
      allow_direct: true,
      republish: { src: log, dest: this.#subjects.live(log) },
    };
    try {
      await this.#manager.streams.add({ ...config, num_replicas: 3 });
    } catch (error) {
      if (!isTooFewServers(error)) throw error;
      await this.#manager.streams.add({ ...config, num_replicas: 1 });
    }
  }
}

/** What an operator has to know of a stream. */
export function describeStream({ cluster, config, state }: StreamInfo, subjects: Subjects): Description {
  const { log } = subjects;
  return {
    replicas: config.num_replicas,
    maxAge: Math.round(config.max_age / NANOSECONDS),
    bytes: state.bytes,
    messages: state.messages,
    hasDirectReads: config.allow_direct === true,
    hasLiveCopies: config.republish?.src === log && config.republish.dest === subjects.live(log),
    isWhole: config.subjects?.length === 1 && config.subjects[0] === log,
    deletesOld: config.discard === 'old' && config.retention === 'limits',
    lagging: (cluster?.replicas ?? []).filter(({ current }) => !current).map(({ name }) => name),
    leader: cluster?.leader,
  };
}

export interface Description {
  readonly replicas: number;
  /** Milliseconds; 0: for ever. */
  readonly maxAge: number;
  readonly bytes: number;
  readonly messages: number;
  /** Any server answers a reading by sequence. */
  readonly hasDirectReads: boolean;
  /** What is stored is sent to edges. */
  readonly hasLiveCopies: boolean;
  /** It stores the subjects of the log, and no others. */
  readonly isWhole: boolean;
  /** Where it is full the oldest messages go, and no reader takes any away. */
  readonly deletesOld: boolean;
  /** Servers whose copy is behind. */
  readonly lagging: readonly string[];
  readonly leader: string | undefined;
}

/** JetStream says 10074 without a cluster, and 10005 where there are no three servers. */
const isTooFewServers = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 10074 || error.code === 10005);
