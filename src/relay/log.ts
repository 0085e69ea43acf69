/** A message of the log. */
export interface LogMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly text: string;
}

/** What the engine holds of the log now. */
export interface LogState {
  /** Of the oldest message that is there still. */
  readonly first: number;
  /** Of the newest; what was there and has expired counts. */
  readonly last: number;
}

/** The engine has another last message than the append named: somebody else has written, or it has lost something. */
export class RefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RefusedError';
  }
}

/** The log as its writer and its readers see it. What is not answered in time may have been done all the same. */
export interface Log {
  /**
   * Appends a message behind the one with this sequence, and behind no other.
   *
   * @param done - called once, with the sequence of the message or with why nobody knows of one; {@link RefusedError}: there is none
   * @param earlier - what stands beside the text for whoever hears the live copy: of `Transaction`
   */
  append(
    subject: string,
    text: string,
    last: number,
    done: (error: unknown, sequence: number) => void,
    earlier?: string,
  ): void;

  /** By the stream's leader; undefined: there is no such stream. */
  state(): Promise<LogState | undefined>;

  /** Makes the stream, or sees to it that it is as it must be. */
  prepare(): Promise<void>;

  /** The newest message with this subject, which may have wildcards. @param leader - any other server may lag behind */
  newest(subject: string, leader: boolean): Promise<LogMessage | undefined>;

  /** @returns undefined when this server has no such message: it has expired, or has not come yet */
  read(sequence: number, leader?: boolean): Promise<LogMessage | undefined>;
}
