import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { Appends, type Done } from './appends.js';
import {
  type Address,
  authentication,
  isRefusedLogin,
  type Library,
  loadLibrary,
  REFUSED,
  refusedLogin,
  splitServer,
  UNREACHABLE,
} from './library.js';
import type { Log, LogMessage, LogState } from './log.js';
import { LogStream } from './stream.js';
import { Subjects } from './subjects.js';

export interface EngineOptions extends Address {
  namespace: string;
  /** What the connection may do: the engine's permissions tell the two apart by their inboxes. */
  role: 'source' | 'edge';
  /** Milliseconds for which the log keeps what it has. @defaultValue one hour, or what the stream has that is there */
  maxAge?: number | undefined;
  /** Which instance this is. */
  instance: string;
  logger: Logger;
  /** Called when the connection is there again. */
  onBack?(): void;
}

/** A live copy of a message, at the moment at which the engine has stored it. */
export interface LiveMessage {
  readonly subject: string;
  readonly text: string;
  /** undefined: it is not in the log, as an event that is not stored. */
  readonly sequence: number | undefined;
  /** Which events of the same transaction came before it: of `Transaction`. */
  readonly earlier: string | undefined;
}

/** Milliseconds within which the engine must answer. */
const ANSWER_TIMEOUT = 2000;

/** Milliseconds between two pings of a connection, and how many may be without an answer. */
const PING_INTERVAL = 5000;
const MAX_PINGS = 2;

/** Bytes of a message that nats-server takes by default, and of them what our headers take at most. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
const HEADERS = 400;

/** The header in which an event names the earlier ones of its transaction. */
const EARLIER = 'Djr-Earlier';

/** NATS JetStream: the one connection of an instance, and the log in its stream. */
export class Engine implements Log {
  readonly subjects: Subjects;
  readonly #options: EngineOptions;
  readonly #onceLog: OnceLogger;
  readonly #library: Library;
  readonly #connection: NatsConnection;
  readonly #stream: LogStream;
  readonly #inbox: string;
  readonly #appends = new Appends(ANSWER_TIMEOUT);
  #answers: Subscription | undefined;
  #connected = true;
  /** The login was taken before, and is not any more. */
  #isRefused = false;

  private constructor(options: EngineOptions, library: Library, connection: NatsConnection, manager: JetStreamManager) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.#library = library;
    this.#connection = connection;
    this.subjects = new Subjects(options.namespace);
    this.#stream = new LogStream(manager, this.subjects);
    this.#inbox = library.createInbox(inboxOf(options));
    void this.#watch();
  }

  /** @throws when no server answers, or the login is refused */
  static async open(options: EngineOptions): Promise<Engine> {
    const library = await loadLibrary();
    const connection = await library
      .connect({
        ...(await authentication(library, options)),
        servers: options.servers.map((server) => splitServer(server).address),
        name: `djr ${options.role} ${options.instance}`,
        inboxPrefix: inboxOf(options),
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        reconnectJitter: 250,
        pingInterval: PING_INTERVAL,
        maxPingOut: MAX_PINGS,
        timeout: ANSWER_TIMEOUT,
        noAsyncTraces: true,
        // A server that restarts with its accounts not there yet refuses a login that it takes a moment later.
        ignoreAuthErrorAbort: true,
      })
      .catch((error: unknown) => {
        throw isRefusedLogin(error) ? refusedLogin(error) : error;
      });
    const manager = await library.jetstreamManager(connection, { checkAPI: false, timeout: ANSWER_TIMEOUT });
    return new Engine(options, library, connection, manager);
  }

  /** Whether there is a connection now. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Why there is none; undefined: there is one. */
  get outage(): string | undefined {
    if (this.#connected) return undefined;
    return this.#isRefused ? REFUSED : UNREACHABLE;
  }

  /** Bytes of one message, without the headers of an append. */
  get maxBytes(): number {
    return (this.#connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD) - HEADERS;
  }

  append(subject: string, text: string, last: number, done: Done, earlier?: string): void {
    this.#answers ??= this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (_, message) => this.#appends.answer(message.subject.slice(this.#inbox.length + 1), message),
    });
    const token = this.#appends.add(done);
    const headers = this.#library.headers();
    headers.set('Nats-Expected-Last-Sequence', String(last));
    if (earlier !== undefined) headers.set(EARLIER, earlier);
    this.#connection.publish(subject, text, { headers, reply: `${this.#inbox}.${token}` });
  }

  async state(): Promise<LogState | undefined> {
    const info = await this.#stream.info();
    return info && { first: info.state.first_seq, last: info.state.last_seq };
  }

  prepare(): Promise<void> {
    return this.#stream.prepare(this.#options.maxAge);
  }

  newest(subject: string, leader: boolean): Promise<LogMessage | undefined> {
    return this.#get({ last_by_subj: subject }, leader);
  }

  read(sequence: number, leader = false): Promise<LogMessage | undefined> {
    return this.#get({ seq: sequence }, leader);
  }

  /**
   * The live copies of what the log gets.
   *
   * @param onMessage - gets the sequence of the message before it with the same subject as well; 0: there is none
   */
  follow(subject: string, onMessage: (message: LiveMessage, before: number) => void): () => void {
    const subscription = this.#connection.subscribe(subject, {
      callback: (_, message) => {
        const sequence = Number(message.headers?.get('Nats-Sequence') || 0);
        const before = Number(message.headers?.get('Nats-Last-Sequence') || 0);
        try {
          const earlier = message.headers?.get(EARLIER) || undefined;
          const copy = { subject: message.subject, text: message.string(), sequence: sequence || undefined, earlier };
          onMessage(copy, before);
        } catch (err) {
          // What a callback throws ends the connection's reading for good.
          this.#onceLog.say('warn', { err, subject: message.subject }, 'a message of the relay could not be read');
        }
      },
    });
    return () => subscription.unsubscribe();
  }

  /** What is not stored: it reaches who is connected now. */
  send(subject: string, text: string): void {
    this.#connection.publish(subject, text);
  }

  /** @throws when nobody answers within the time */
  async ask(subject: string, text: string, timeout = ANSWER_TIMEOUT): Promise<string> {
    const message = await this.#connection.request(subject, text, { timeout });
    return message.string();
  }

  /** Answers requests, one of all that answer under this name for each. */
  answer(
    subject: string,
    queue: string | undefined,
    respond: (text: string) => Promise<string | undefined>,
  ): () => void {
    const subscription = this.#connection.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (_, message) => {
        respond(message.string())
          .then((text) => {
            // It throws where the answer is larger than the engine takes.
            if (text !== undefined) message.respond(text);
          })
          .catch((err: unknown) => this.#options.logger.warn({ err, subject }, 'a request of an edge failed'));
      },
    });
    return () => subscription.unsubscribe();
  }

  /** Resolves when the server has got all that was sent before. */
  async flush(): Promise<void> {
    await this.#connection.flush();
  }

  /** Makes the connection anew: a cut without a word may last for minutes. */
  async reconnect(): Promise<void> {
    await this.#connection.reconnect().catch(() => {});
  }

  async close(): Promise<void> {
    this.#appends.end();
    await this.#connection.close().catch(() => {});
  }

  async #get(query: object, leader: boolean): Promise<LogMessage | undefined> {
    const { stream } = this.subjects;
    if (leader) {
      const text = await this.ask(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify(query));
      const { message, error } = JSON.parse(text) as StoredAnswer;
      if (error) {
        if (error.code === 404) return undefined;
        throw new Error(`the engine could not read the log: ${error.description}`);
      }
      return {
        sequence: message!.seq,
        subject: message!.subject,
        text: Buffer.from(message!.data ?? '', 'base64').toString(),
      };
    }
    const answer = await this.#connection.request(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query), {
      timeout: ANSWER_TIMEOUT,
    });
    const { headers } = answer;
    if (headers?.code === 404) return undefined;
    if (headers?.code) throw new Error(`the engine could not read the log: ${headers.code} ${headers.description}`);
    return {
      sequence: Number(headers?.get('Nats-Sequence')),
      subject: headers?.get('Nats-Subject') ?? '',
      text: answer.string(),
    };
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect' && this.#connected) {
        this.#connected = false;
        this.#appends.fail(new Error('the connection to the engine was lost'));
      } else if (status.type === 'reconnect') {
        this.#connected = true;
        this.#isRefused = false;
        this.#options.onBack?.();
      } else if (status.type === 'error' && isRefusedLogin(status.error)) this.#isRefused = true;
    }
  }
}

interface StoredAnswer {
  message?: { subject: string; seq: number; data?: string };
  error?: { code: number; description: string };
}

/** Answers come below it: those of sources are none of an edge's business. */
export const inboxFor = (namespace: string, role: EngineOptions['role']): string => `_INBOX.djr.${namespace}.${role}`;

const inboxOf = ({ namespace, role }: EngineOptions): string => inboxFor(namespace, role);
