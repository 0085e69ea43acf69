import { readFile } from 'node:fs/promises';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { DjrError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { type Log, type LogMessage, type LogState, RefusedError } from './log.js';
import { Subjects } from './subjects.js';

/** How to log in: the path of a `.creds` file, a user with a password, or a token. */
export type RelayCredentials = string | { user: string; password: string } | { token: string };

export interface EngineOptions {
  /** `nats://host:4222`, at least one. */
  servers: readonly string[];
  credentials?: RelayCredentials | undefined;
  namespace: string;
  /** What the connection may do: the engine's permissions tell the two apart by their inboxes. */
  role: 'source' | 'edge';
  /** Milliseconds for which the log keeps what it has. @defaultValue one hour, or what the stream has that is there */
  maxAge?: number | undefined;
  /** Which instance this is. */
  instance: string;
  logger: Logger;
  /** It is there again. */
  onBack?(): void;
}

/** A live copy of a message, at the moment at which the engine has stored it. */
export interface LiveMessage {
  readonly subject: string;
  readonly text: string;
  /** undefined: it is not in the log, as an event that is not stored. */
  readonly sequence: number | undefined;
}

/** Milliseconds within which the engine must answer. */
const ANSWER_TIMEOUT = 2000;

/** Milliseconds between two pings of a connection, and how many may be without an answer. */
const PING_INTERVAL = 5000;
const MAX_PINGS = 2;

/** Milliseconds between two looks for appends that have no answer. */
const LOOK = 250;

/** What the engine says of an append behind another message than it has last. */
const WRONG_LAST_SEQUENCE = 10071;

const NANOSECONDS = 1_000_000;

/** Bytes of a message that nats-server takes by default, and of them what our headers take at most. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;
const HEADERS = 100;

/** Milliseconds for which a log that is made anew keeps what it has. */
const HOUR = 3_600_000;

interface Append {
  readonly done: (error: unknown, sequence: number) => void;
  readonly until: number;
}

type Answer = { seq?: number; error?: { code: number; err_code?: number; description: string } };

/** The app installs these packages, and only with a relay are they needed. */
async function load() {
  try {
    const [transport, jetstream] = await Promise.all([import('@nats-io/transport-node'), import('@nats-io/jetstream')]);
    return { ...transport, jetstreamManager: jetstream.jetstreamManager };
  } catch (cause) {
    throw new DjrError('DJR_CONFIG', 'Option relay: the packages of NATS must be installed.', {
      hint: 'npm install @nats-io/transport-node @nats-io/jetstream',
      cause,
    });
  }
}

type Library = Awaited<ReturnType<typeof load>>;

/** Server, user and password of a URL: the library reads no login from it. */
function splitServer(server: string): { address: string; user?: string; password?: string } {
  const url = new URL(/^[a-z]+:\/\//.test(server) ? server : `nats://${server}`);
  const address = `${url.protocol}//${url.host}`;
  if (url.username === '') return { address };
  return { address, user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

async function authentication(library: Library, { credentials, servers }: EngineOptions): Promise<object> {
  if (typeof credentials === 'string') {
    return { authenticator: library.credsAuthenticator(await readFile(credentials)) };
  }
  if (credentials && 'token' in credentials) return { token: credentials.token };
  if (credentials) return { user: credentials.user, pass: credentials.password };
  const { user, password } = splitServer(servers[0]!);
  return user === undefined ? {} : { user, pass: password };
}

/** NATS JetStream: the one connection of an instance, and the log in its stream. */
export class Engine implements Log {
  readonly subjects: Subjects;
  readonly #options: EngineOptions;
  readonly #onceLog: OnceLogger;
  readonly #library: Library;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #inbox: string;
  readonly #appends = new Map<string, Append>();
  #answers: Subscription | undefined;
  #appended = 0;
  #timer: NodeJS.Timeout | undefined;
  #connected = true;

  private constructor(options: EngineOptions, library: Library, connection: NatsConnection, manager: JetStreamManager) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.#library = library;
    this.#connection = connection;
    this.#manager = manager;
    this.subjects = new Subjects(options.namespace);
    this.#inbox = library.createInbox(inboxOf(options));
    void this.#watch();
  }

  /** @throws when no server answers, or the login is refused */
  static async open(options: EngineOptions): Promise<Engine> {
    const library = await load();
    const connection = await library.connect({
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
    });
    const manager = await library.jetstreamManager(connection, { checkAPI: false, timeout: ANSWER_TIMEOUT });
    return new Engine(options, library, connection, manager);
  }

  /** Whether there is a connection now. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The server's version, as `2.9.10`. */
  get version(): string {
    return this.#connection.info?.version ?? '';
  }

  /** Bytes of one message, without the headers of an append. */
  get maxBytes(): number {
    return (this.#connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD) - HEADERS;
  }

  append(subject: string, text: string, last: number, done: Append['done']): void {
    this.#answers ??= this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (_, message) => this.#onAnswer(message),
    });
    this.#timer ??= setInterval(() => this.#look(), LOOK).unref();
    this.#appended += 1;
    const token = this.#appended.toString(36);
    this.#appends.set(token, { done, until: performance.now() + ANSWER_TIMEOUT });
    const headers = this.#library.headers();
    headers.set('Nats-Expected-Last-Sequence', String(last));
    this.#connection.publish(subject, text, { headers, reply: `${this.#inbox}.${token}` });
  }

  async state(): Promise<LogState | undefined> {
    const info = await this.#info();
    return info && { first: info.state.first_seq, last: info.state.last_seq };
  }

  async prepare(): Promise<void> {
    const { maxAge } = this.#options;
    const info = await this.#info();
    // What its owner gave a stream that is there stays: copies, placement, limits.
    if (info) {
      if (maxAge === undefined || info.config.max_age === maxAge * NANOSECONDS) return;
      await this.#manager.streams.update(this.subjects.stream, { max_age: maxAge * NANOSECONDS });
      return;
    }
    const config = {
      name: this.subjects.stream,
      subjects: [this.subjects.log],
      max_age: (maxAge ?? HOUR) * NANOSECONDS,
      allow_direct: true,
      republish: { src: this.subjects.log, dest: this.subjects.live(this.subjects.log) },
    };
    try {
      await this.#manager.streams.add({ ...config, num_replicas: 3 });
    } catch (error) {
      if (!isTooFewServers(error)) throw error;
      await this.#manager.streams.add({ ...config, num_replicas: 1 });
    }
  }

  /** Replicas, age and limits of the stream; undefined: there is none. */
  async #info() {
    try {
      return await this.#manager.streams.info(this.subjects.stream);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** What the stream is, for who looks after it. */
  async describe(): Promise<{ replicas: number; maxAge: number; bytes: number; messages: number } | undefined> {
    const info = await this.#info();
    if (!info) return undefined;
    const { config, state } = info;
    return {
      replicas: config.num_replicas,
      maxAge: Math.round(config.max_age / NANOSECONDS),
      bytes: state.bytes,
      messages: state.messages,
    };
  }

  newest(subject: string, leader: boolean): Promise<LogMessage | undefined> {
    return this.#get({ last_by_subj: subject }, leader);
  }

  read(sequence: number, leader = false): Promise<LogMessage | undefined> {
    return this.#get({ seq: sequence }, leader);
  }

  /** The live copies of what the log gets. */
  follow(subject: string, onMessage: (message: LiveMessage) => void): () => void {
    const subscription = this.#connection.subscribe(subject, {
      callback: (_, message) => {
        const sequence = Number(message.headers?.get('Nats-Sequence') || 0);
        try {
          onMessage({
            subject: message.subject,
            text: message.string(),
            sequence: sequence === 0 ? undefined : sequence,
          });
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
    clearInterval(this.#timer);
    this.#appends.clear();
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

  #onAnswer(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1);
    const append = this.#appends.get(token);
    if (!append) return;
    this.#appends.delete(token);
    if (message.headers?.code) {
      append.done(new Error(`the engine did not take a message: ${message.headers.code}`), 0);
      return;
    }
    const { seq, error } = message.json<Answer>();
    if (!error) append.done(undefined, seq ?? 0);
    else if (error.err_code === WRONG_LAST_SEQUENCE) append.done(new RefusedError(error.description), 0);
    else append.done(new Error(`the engine did not take a message: ${error.description}`), 0);
  }

  #look(): void {
    // The oldest is the first.
    const [oldest] = this.#appends.values();
    if (oldest && oldest.until < performance.now()) this.#fail(new Error('the engine did not answer in time'));
  }

  #fail(error: Error): void {
    const appends = [...this.#appends.values()];
    this.#appends.clear();
    for (const { done } of appends) done(error, 0);
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect' && this.#connected) {
        this.#connected = false;
        this.#fail(new Error('the connection to the engine was lost'));
      } else if (status.type === 'reconnect') {
        this.#connected = true;
        this.#options.onBack?.();
      }
    }
  }
}

const STREAM_NOT_FOUND = 10059;

interface StoredAnswer {
  message?: { subject: string; seq: number; data?: string };
  error?: { code: number; description: string };
}

/** Answers come below it: those of sources are none of an edge's business. */
export const inboxFor = (namespace: string, role: EngineOptions['role']): string => `_INBOX.djr.${namespace}.${role}`;

const inboxOf = ({ namespace, role }: EngineOptions): string => inboxFor(namespace, role);

/** JetStream says 10074 without a cluster, and 10005 where there are no three servers. */
const isTooFewServers = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 10074 || error.code === 10005);
