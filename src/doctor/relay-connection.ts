import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { inboxFor } from '../relay/engine.js';
import { type Address, authentication, type Library, loadLibrary, splitServer } from '../relay/library.js';
import { Subjects } from '../relay/subjects.js';

/** Milliseconds within which the engine, or a source, must answer. */
const ANSWER = 2000;

export interface RelayAddress extends Address {
  namespace: string;
}

/** What became of something that was tried. */
export type Outcome = { readonly message: Msg } | 'denied' | 'silent';

/** A connection to the engine that finds out what its login may do. */
export class RelayConnection {
  readonly subjects: Subjects;
  readonly library: Library;
  readonly connection: NatsConnection;
  readonly role: 'source' | 'edge';
  /** Subjects that the login may not use, as the server has said so far. */
  readonly #denied: string[] = [];
  #changed: () => void = () => {};

  private constructor(library: Library, connection: NatsConnection, role: 'source' | 'edge', namespace: string) {
    this.library = library;
    this.connection = connection;
    this.role = role;
    this.subjects = new Subjects(namespace);
    void this.#watch();
  }

  /** Connects as whatever the login is: each role has its answers below an inbox of its own. @throws when no server answers */
  static async open(address: RelayAddress): Promise<RelayConnection> {
    const library = await loadLibrary();
    const connect = async (role: 'source' | 'edge') => {
      const connection = await library.connect({
        ...(await authentication(library, address)),
        servers: address.servers.map((server) => splitServer(server).address),
        name: 'djr doctor',
        inboxPrefix: inboxFor(address.namespace, role),
        reconnect: false,
        timeout: ANSWER,
      });
      return new RelayConnection(library, connection, role, address.namespace);
    };
    const source = await connect('source');
    if (!(await source.#isDenied(inboxFor(address.namespace, 'source')))) return source;
    await source.close();
    return connect('edge');
  }

  /** @returns the answer, or that the login may not ask, or that nobody answers */
  async try(subject: string, text: string, headers: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const all = this.library.headers();
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const denied = new Promise<'denied'>((resolve) => {
      this.#changed = () => this.#denied.includes(subject) && resolve('denied');
    });
    const answer = this.connection
      .request(subject, text, { timeout: ANSWER, headers: all })
      .then((message) => ({ message }))
      .catch((error: unknown) => (this.#isRefusal(error) ? 'denied' : 'silent'));
    return Promise.race([denied, answer]);
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => {});
  }

  /** Whether the server has said that the login may not ask this: the library tells whoever asked before anybody else. */
  #isRefusal(error: unknown): boolean {
    const { PermissionViolationError } = this.library;
    const cause = error instanceof Error ? error.cause : undefined;
    return error instanceof PermissionViolationError || cause instanceof PermissionViolationError;
  }

  /** Whether the login may not subscribe below this subject. */
  async #isDenied(subject: string): Promise<boolean> {
    let isDenied = false;
    const subscription = this.connection.subscribe(`${subject}.>`, {
      callback: (error) => {
        isDenied ||= error instanceof Error;
      },
    });
    await this.connection.flush();
    subscription.unsubscribe();
    return isDenied;
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type !== 'error' || !(status.error instanceof this.library.PermissionViolationError)) continue;
      this.#denied.push(status.error.subject);
      this.#changed();
    }
  }
}
