import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { PASSING } from './passing.js';
import { pause, type Random } from './random.js';
import { Spans } from './unstored.js';
import { type Receiver, type Rows, roomOf, rooms, type Stored } from './verdict.js';

/** Bytes that NOTIFY can carry. */
const MAX_MESSAGE = 7999;

/** What all readers find out together. */
export class Findings {
  deliveries = 0;
  /** Of events without a row. */
  passing = 0;
  /** Of events that NOTIFY cannot carry. */
  large = 0;
  repeats = 0;
  connections = 0;
  resumes = 0;
  /** Readers that stopped reading for some seconds. */
  pauses = 0;
  disorder: string[] = [];
  /** Topics that were taken from who may hear them. */
  taken = 0;
  /** Requests that were not let in, by status. */
  readonly refusals = new Map<string, number>();
  readonly resets = new Map<string, number>();
  /** `instance.sequence` → event id: one order for all clients of an instance. */
  readonly #order = new Map<string, string>();
  /** The same → number of the event. */
  readonly #numbers = new Map<string, number>();

  reset(reason: string): void {
    this.resets.set(reason, (this.resets.get(reason) ?? 0) + 1);
  }

  /** Two clients of one instance must have the same event in the same place. */
  place(place: string, event: string, n: number): void {
    this.#numbers.set(place, n);
    const known = this.#order.get(place);
    if (known === undefined) this.#order.set(place, event);
    else if (known !== event) this.disorder.push(`${place} is event ${known} to one client and ${event} to another`);
  }

  /** The number of the event in this place, where any reader has seen it. */
  numberAt(instance: string, sequence: number): number | undefined {
    return this.#numbers.get(`${instance}.${sequence}`);
  }
}

/**
 * A bare EventSource that breaks off, stops reading, goes to any instance, and comes back with its last id.
 * It keeps the id of each event that it got.
 */
export class Reader implements Receiver {
  readonly user: string | null;
  readonly #got = new Set<number>();
  /** The numbers that the writers gave what it got. */
  readonly numbers = new Set<number>();
  readonly spans = new Spans();
  /** The numbers of the events without a row that it got, of each connection in their order. */
  readonly passing: number[][] = [];
  /** `performance.now()` of the first connected frame: what is committed after it has to come. */
  since = Number.POSITIVE_INFINITY;
  /** `performance.now()` of the last event, a repeat or not: a reader that gets any is not done. */
  heard = 0;
  lastEventId = '';
  readonly #random: Random;
  readonly #ports: () => number[];
  readonly #findings: Findings;
  #request: ClientRequest | undefined;
  #stopped = false;
  #calm = false;

  constructor(user: string | null, random: Random, ports: () => number[], findings: Findings) {
    this.user = user;
    this.#random = random;
    this.#ports = ports;
    this.#findings = findings;
  }

  get name(): string {
    return this.user ?? 'an anonymous reader';
  }

  has({ id }: Pick<Stored, 'id' | 'n'>): boolean {
    return this.#got.has(id);
  }

  lacking(owed: readonly Stored[]): Stored[] {
    return owed.filter(({ id }) => !this.#got.has(id));
  }

  strangers({ byId }: Rows): [string, Stored | undefined][] {
    return [...this.#got].map((id) => [`event ${id}`, byId.get(id)]);
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const ports = this.#ports();
      if (ports.length > 0) await this.#connect(this.#random.pick(ports));
      await pause(this.#random.between(0, this.#random.chance(0.1) ? 2000 : 200));
    }
  }

  /** No more breaking off. */
  calm(): void {
    this.#calm = true;
  }

  stop(): void {
    this.#stopped = true;
    this.#request?.destroy();
  }

  #connect(port: number): Promise<void> {
    return new Promise((resolve) => {
      // Its own room always; of the others, which it may not hear, now these and now those.
      const asked = rooms.filter((room) => (this.user && room === roomOf(this.user)) || this.#random.chance(0.5));
      const user = this.user === null ? [] : [`user=${this.user}`];
      const query = `?${[...user, ...asked.map((room) => `topic=${room}`)].join('&')}`;
      const headers: Record<string, string> = {};
      if (this.lastEventId) headers['last-event-id'] = this.lastEventId;
      const timers: NodeJS.Timeout[] = [];
      const request = get(
        { host: '127.0.0.1', port, path: `/realtime/sse/${query}`, agent: false, headers },
        (response) => {
          response.on('error', () => {});
          if (response.statusCode !== 200) {
            const status = String(response.statusCode);
            this.#findings.refusals.set(status, (this.#findings.refusals.get(status) ?? 0) + 1);
            response.resume();
            return;
          }
          this.#findings.connections += 1;
          if (this.lastEventId) this.#findings.resumes += 1;
          this.#read(response);
          if (this.#calm) return;
          timers.push(setTimeout(() => !this.#calm && request.destroy(), this.#random.between(50, 6000)));
          if (this.#random.chance(0.1)) {
            const pauseReading = () => {
              this.#findings.pauses += 1;
              response.pause();
            };
            timers.push(setTimeout(pauseReading, this.#random.between(10, 1000)));
            timers.push(setTimeout(() => response.resume(), this.#random.between(1500, 4000)));
          }
        },
      );
      this.#request = request;
      request.on('error', () => {});
      request.once('close', () => {
        for (const timer of timers) clearTimeout(timer);
        resolve();
      });
    });
  }

  #read(response: IncomingMessage): void {
    // Frames with the place that we came with are a resume's; the others have a place in the instance's order.
    const came = this.lastEventId.slice(this.lastEventId.indexOf('-') + 1);
    const [home, at = ''] = came.split('.', 2);
    let buffer = '';
    const passing: number[] = [];
    this.passing.push(passing);
    // On the instance that it came from it goes on behind the place that it had there.
    const place = { instance: home, last: Number.parseInt(at, 36) };
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      buffer += chunk;
      const blocks = buffer.split('\n\n');
      buffer = blocks.pop()!;
      for (const block of blocks) {
        const id = /^id: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (id !== undefined) this.lastEventId = id;
        if (data === undefined) continue;
        const event = JSON.parse(data) as { type: string; n: number; reason?: string };
        if (event.type === 'connected') {
          this.since = Math.min(this.since, performance.now());
          continue;
        }
        if (event.type === 'left') this.#findings.taken += 1;
        if (event.type === 'left' || event.type === 'disconnected') continue;
        if (event.type === 'reset') {
          this.spans.reset();
          this.#findings.reset(String(event.reason));
          continue;
        }
        this.heard = performance.now();
        if (event.type === PASSING) {
          passing.push(event.n);
          this.#findings.passing += 1;
          continue;
        }
        this.#findings.deliveries += 1;
        if (data.length > MAX_MESSAGE) this.#findings.large += 1;
        const [number, rest] = [id!.slice(0, id!.indexOf('-')), id!.slice(id!.indexOf('-') + 1)];
        if (this.#got.has(Number(number))) this.#findings.repeats += 1;
        this.#got.add(Number(number));
        this.numbers.add(event.n);
        const [instance, position] = rest.split('.', 2);
        if (instance === home && position === at) continue;
        // A frontier alone, from a resume that read storage.
        if (instance === '0') continue;
        const sequence = Number.parseInt(position!, 36);
        if (instance === place.instance && sequence <= place.last)
          this.#findings.disorder.push(`${instance} sent ${sequence} after ${place.last}`);
        Object.assign(place, { instance, last: sequence });
        this.#findings.place(`${instance}.${sequence}`, number, event.n);
        this.spans.event(instance!, sequence);
      }
    });
  }
}
