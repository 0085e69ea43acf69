import { type Remote, start } from '../remote.js';
import { merge, pack } from './histogram.js';
import type { ConnectOptions, Moved, Readers } from './readers.js';
import type { Expectation, Received } from './tally.js';

/** Clients of one process: an address has some 28,000 ports, and a process the machine's limit of open files. */
const EACH = 10_000;

/** Connections being opened at once, by all processes together. */
const PARALLEL = 200;

/** Readers in as many processes as so many clients need, each with an address of its own: 127.0.0.2 and so on. */
export class Crowd {
  readonly #processes: { readers: Remote<Readers>; clients: number; localAddress: string }[] = [];

  constructor(clients: number) {
    const count = Math.max(2, Math.ceil(clients / EACH));
    for (let i = 0; i < count; i += 1) {
      const share = Math.floor(clients / count) + (i < clients % count ? 1 : 0);
      this.#processes.push({
        readers: start<Readers>('readers'),
        clients: share,
        localAddress: `127.0.0.${i + 2}`,
      });
    }
  }

  /** @param onProgress - told now and then how many streams are open */
  async connect(
    options: Omit<ConnectOptions, 'clients' | 'localAddress'>,
    onProgress?: (opened: number) => void,
  ): Promise<{ seconds: number; refused: number }> {
    const parallel = Math.ceil((options.parallel ?? PARALLEL) / this.#processes.length);
    const timer = setInterval(async () => {
      const opened = await this.#all(({ readers }) => readers.opened(null)).catch(() => []);
      onProgress?.(opened.reduce((sum, count) => sum + count, 0));
    }, 1000);
    try {
      const began = performance.now();
      const parts = await this.#all(({ readers, clients, localAddress }) =>
        readers.connect({ ...options, clients, localAddress, parallel }),
      );
      const refused = parts.reduce((sum, part) => sum + part.refused, 0);
      return { seconds: (performance.now() - began) / 1000, refused };
    } finally {
      clearInterval(timer);
    }
  }

  async expect(expectation: Omit<Expectation, 'clients' | 'toUsers'>, connectLater = false): Promise<void> {
    await this.#all(({ readers, clients }) => readers.expect({ ...expectation, ...(connectLater ? { clients } : {}) }));
  }

  async received(options: { patience: number; events?: number }): Promise<Received> {
    const parts = await this.#all(({ readers }) => readers.received(options));
    const sum = (field: 'deliveries' | 'missing' | 'repeated' | 'foreign' | 'closed' | 'bytes') =>
      parts.reduce((total, part) => total + part[field], 0);
    return {
      deliveries: sum('deliveries'),
      missing: sum('missing'),
      repeated: sum('repeated'),
      foreign: sum('foreign'),
      closed: sum('closed'),
      bytes: sum('bytes'),
      delays: pack(merge(parts.map(({ delays }) => delays))),
      first: Math.min(...parts.flatMap(({ first }) => (first > 0 ? [first] : []))),
      last: Math.max(...parts.map(({ last }) => last)),
      timeline: [],
    };
  }

  async follow(port: number): Promise<void> {
    await this.#all(({ readers }) => readers.follow({ port }));
  }

  async moved(patience: number): Promise<Moved> {
    const parts = await this.#all(({ readers }) => readers.moved({ patience }));
    return {
      moved: parts.reduce((sum, { moved }) => sum + moved, 0),
      refused: parts.reduce((sum, { refused }) => sum + refused, 0),
      last: Math.max(...parts.map(({ last }) => last)),
    };
  }

  async close(): Promise<void> {
    await this.#all(({ readers }) => readers.close(null));
  }

  async end(): Promise<void> {
    await this.#all(({ readers }) => readers.end());
  }

  #all<Result>(
    work: (process: { readers: Remote<Readers>; clients: number; localAddress: string }) => Promise<Result>,
  ): Promise<Result[]> {
    return Promise.all(this.#processes.map(work));
  }
}
