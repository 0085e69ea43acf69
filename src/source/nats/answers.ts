import type { Acknowledgement } from '../../activity/acknowledger.js';
import type { Step } from '../../activity/counter.js';
import type { PresenceCount, PresenceStore } from '../../clients/topics/presence.js';
import type { Question } from '../../clients/topics/topic-store.js';
import { AudienceSet } from '../../event/audience-set.js';
import type { Envelope } from '../../event/envelope.js';
import type { Reading } from '../../instance/series.js';
import { DjrError } from '../../lib/errors.js';
import { Semaphore } from '../../lib/semaphore.js';
import type { Engine } from '../../relay/engine.js';
import { encodeLine } from '../../relay/line.js';
import { answerTo, fromText, type Request, toText } from '../../relay/requests.js';
import type { Writer } from '../../relay/writer.js';
import type { Source } from '../source.js';
import type { SinceAnswer, SinceRequest } from './edge-storage.js';

export interface AnswersOptions {
  engine: Engine;
  source: Pick<Source, 'readSince' | 'acknowledge' | 'record' | 'ping' | 'topics' | 'presence'>;
  writer: Writer;
  /** `onReceive`: what it stopped must not pass here. */
  receive(envelope: Envelope): Envelope | null | Promise<Envelope | null>;
  /** The row of `djr.instance` of an edge. */
  rowOf(instance: string): { write(reading: Reading, host: string): Promise<void>; remove(): Promise<void> };
  /** Where the streams of an edge are kept. */
  presenceOf(instance: string): PresenceStore;
}

/** Bytes of events in one answer, as they are on the wire: the engine takes a megabyte. */
const PAGE_BYTES = 256 * 1024;

/** Bytes of an answer for all but its events: a frontier with many transactions in flight is the largest part. */
const SPARE = 32 * 1024;

/** The queue group: one of all sources answers. */
const SOURCES = 'sources';

/**
 * Statements of edges that run at a time, apart from those that a client waits for. Edges report at once, each once in a few seconds:
 * with more than one at a time, the connections to the database would grow with the number of edges.
 */
const AT_A_TIME = 1;

/** So many may wait for their turn, as while PostgreSQL is away; an edge that is refused tries again. */
const WAITING = 1000;

/** What edges ask of PostgreSQL, they ask a source. */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #ends: (() => void)[] = [];
  readonly #turns = new Semaphore(AT_A_TIME);
  /** One look at the database, which all edges that ask meanwhile share. */
  #ping: Promise<unknown> | undefined;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  start(): void {
    const { engine, presenceOf, rowOf, source } = this.#options;
    this.#on('since', (body: SinceRequest) => this.#since(body));
    // The source stores those of all edges and of its own clients together, one statement at a time.
    this.#on('acknowledge', (body: Acknowledgement[]) => source.acknowledge(body));
    this.#inTurn('record', (body: Step[]) => source.record(body));
    this.#on('ping', () => {
      this.#ping ??= source.ping().finally(() => {
        this.#ping = undefined;
      });
      return this.#ping;
    });
    this.#inTurn('report', (body: { instance: string; host: string; reading: Reading }) =>
      rowOf(body.instance).write(body.reading, body.host),
    );
    this.#inTurn('withdraw', (body: { instance: string }) => rowOf(body.instance).remove());
    this.#on('permissions', async () => {
      const { keys, revocations } = await source.topics.permissions();
      const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
      return { keys: keys.map(({ id, inner, outer }) => ({ id, inner: hex(inner), outer: hex(outer) })), revocations };
    });
    this.#on('authorize', (body: { questions: Question[]; milliseconds: number }) =>
      source.topics.authorize(body.questions, body.milliseconds),
    );
    this.#inTurn('presence', (body: { instance: string; counts: PresenceCount[]; afresh: boolean }) =>
      presenceOf(body.instance).report(body.counts, body.afresh),
    );
    this.#on('users', async (body: string[]) => [...(await source.presence.usersOf(body))]);
    this.#ends.push(engine.answer(engine.subjects.ask('flush'), undefined, () => this.#flush()));
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #on<Body>(what: Request, work: (body: Body) => Promise<unknown>): void {
    const { engine } = this.#options;
    const respond = (text: string) => answerTo(() => work(JSON.parse(text) as Body));
    this.#ends.push(engine.answer(engine.subjects.ask(what), SOURCES, respond));
  }

  /** What no client waits for. */
  #inTurn<Body>(what: Request, work: (body: Body) => Promise<unknown>): void {
    this.#on(what, async (body: Body) => {
      if (this.#turns.waiting >= WAITING) {
        throw new DjrError(
          'DJR_DATABASE',
          `At most ${WAITING} requests of edges may wait for the database, and so many do.`,
        );
      }
      return this.#turns.run(() => work(body));
    });
  }

  /** Only the source that writes the log can say that everything is in it. */
  async #flush(): Promise<string | undefined> {
    const { writer } = this.#options;
    if (!writer.leads) return undefined;
    const sequence = await writer.flush();
    const { generation } = writer;
    return sequence === undefined ? undefined : answerTo(async () => ({ generation, sequence }));
  }

  async #since({ audiences, from, since, types }: SinceRequest): Promise<SinceAnswer | { reset: string }> {
    const { engine, receive, source } = this.#options;
    const lines: string[] = [];
    let bytes = 0;
    const onBatch = async (envelopes: Envelope[]): Promise<number> => {
      let taken = 0;
      for (const stored of envelopes) {
        const envelope = await receive(stored);
        const line = envelope && encodeLine(envelope);
        // A text within JSON: its quotes are written as two bytes.
        const size = line ? Buffer.byteLength(JSON.stringify(line)) : 0;
        if (bytes > 0 && bytes + size > PAGE_BYTES) break;
        taken += 1;
        // One that the engine does not take is in no log either.
        if (!line || size > engine.maxBytes - SPARE) continue;
        lines.push(line);
        bytes += size;
      }
      return taken;
    };
    const progress = from && { frontier: fromText(from.frontier), last: from.last, done: false };
    const client = { audiences: new AudienceSet(audiences), types: types ? new Set(types) : null };
    const result = await source.readSince(fromText(since), client, progress ?? undefined, onBatch);
    if ('reset' in result) return result;
    return { lines, frontier: toText(result.frontier), last: result.last, done: result.done };
  }
}
