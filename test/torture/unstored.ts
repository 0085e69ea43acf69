import { pause } from './random.js';
import type { Findings, Reader } from './reader.js';
import { isEntitled, type Verdict } from './verdict.js';
import type { Ledger } from './writer.js';

/** An unbroken stretch of one instance's order: from a first event on, or from a reset, to the next reset. */
interface Span {
  readonly instance: string;
  readonly first: number;
  last: number;
  readonly got: Set<number>;
}

/** What one reader was promised without storage: nothing is missing between two events, unless a reset lies there. */
export class Spans {
  readonly all: Span[] = [];
  /** What must not be, in words. */
  readonly faults: string[] = [];
  #open: Span | undefined;
  #fresh = true;

  reset(): void {
    this.#fresh = true;
  }

  event(instance: string, sequence: number): void {
    const span = this.#open;
    if (span && !this.#fresh && span.instance === instance) {
      if (span.got.has(sequence)) this.faults.push(`${instance} sent ${sequence} twice`);
      span.got.add(sequence);
      span.last = sequence;
      return;
    }
    if (span && !this.#fresh) this.faults.push(`from ${span.instance} to ${instance} without a reset`);
    this.#fresh = false;
    this.#open = { instance, first: sequence, last: sequence, got: new Set([sequence]) };
    this.all.push(this.#open);
  }
}

/**
 * Publishes until every reader has heard it: then all listeners hear, all readers are live, and have what was committed before.
 * Gives up after two minutes: what is missing then counts as lost.
 */
export async function heal(
  readers: readonly Reader[],
  publish: () => Promise<{ id: number; n: number }>,
): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const probe = await publish();
    for (let i = 0; i < 20; i += 1) {
      if (readers.every((reader) => reader.has(probe))) return;
      await pause(100);
    }
  }
}

/**
 * Compares with what the writers committed, as no row tells.
 *
 * @param calm - `performance.now()` since when nothing was harmed: all that was committed later has to be there.
 */
export function judgeUnstored(readers: readonly Reader[], ledger: Ledger, findings: Findings, calm: number): Verdict {
  const lost: string[] = [];
  const foreign: string[] = [];
  const entitled = (user: string | null, n: number) => isEntitled(user, ledger.audience(n));
  for (const { user, name, spans, numbers } of readers) {
    lost.push(...spans.faults.map((fault) => `${name}: ${fault}`));
    for (const { instance, first, last, got } of spans.all) {
      for (let sequence = first; sequence <= last; sequence += 1) {
        const n = findings.numberAt(instance, sequence);
        if (n !== undefined && !got.has(sequence) && entitled(user, n))
          lost.push(`number ${n}, ${sequence} of ${instance}, to ${name}: a gap`);
      }
    }
    for (const n of numbers) {
      if (Number.isNaN(ledger.committedAt(n))) foreign.push(`number ${n}, which was not committed, to ${name}`);
      else if (!entitled(user, n)) foreign.push(`number ${n} to ${name}`);
    }
    for (let n = 0; n < ledger.length; n += 1) {
      if (ledger.committedAt(n) > calm && entitled(user, n) && !numbers.has(n))
        lost.push(`number ${n}, committed in calm, to ${name}`);
    }
  }
  return { lost, behind: [], foreign };
}
