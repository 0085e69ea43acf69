import { documentHas, listen } from './page.js';

/** Milliseconds of silence after which a stream is begun anew when the network has changed. */
const CHANGED = 1000;

/** The seconds by which timers of a page that is shown never are late by themselves. */
const JUMP = 5000;
const TICK = 1000;

/** What happens to a page that concerns its stream. */
export interface Attention {
  /** A reason to look whether the stream still lives. `silence`: less of it than usual is enough to begin anew. */
  look(silence?: number): void;
  /** The page is left, frozen, or kept for the back button. */
  sleep(): void;
  /** Called every second. `jumped`: the clock shows that the page, or the machine, was asleep. */
  tick(jumped: boolean): void;
}

/** @returns a function that ends it */
export function attend({ look, sleep, tick }: Attention): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  listen('online', () => look(CHANGED), signal);
  listen('pageshow', look, signal);
  listen('resume', look, signal);
  // Not everywhere: a phone that goes from one network to another may never be offline.
  const { connection: network } = navigator as { connection?: EventTarget };
  network?.addEventListener?.('change', () => look(CHANGED), { signal });
  listen('visibilitychange', () => documentHas<boolean>('hidden') || look(), signal);
  listen('pagehide', sleep, signal);
  listen('freeze', sleep, signal);
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    // Timers of a hidden page are late without that.
    const jumped = Math.abs(now - last - TICK) > JUMP && !documentHas<boolean>('hidden');
    last = now;
    tick(jumped);
  }, TICK);
  return () => {
    ending.abort();
    clearInterval(timer);
  };
}
