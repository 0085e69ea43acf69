import { documentHas, listen } from './page.js';

/** Milliseconds of silence after which a stream reconnects when the network has changed. */
const CHANGED = 1000;

/** Milliseconds by which a timer of a visible page is late only if the machine was asleep. */
const JUMP = 5000;
const TICK = 1000;

/** What to do when something happens to the page that concerns its stream. */
export interface Attention {
  /** There is a reason to check whether the stream still lives. @param silence - milliseconds of silence that are enough to reconnect, fewer than usual */
  look(silence?: number): void;
  /** The page is left, frozen, or kept for the back button. */
  sleep(): void;
  /** Called every second. `jumped`: the clock shows that the page, or the machine, was asleep. */
  tick(jumped: boolean): void;
}

/** Watches page, network and clock. @returns a function that ends it */
export function attend({ look, sleep, tick }: Attention): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  listen('online', () => look(CHANGED), signal);
  listen('pageshow', look, signal);
  listen('resume', look, signal);
  // Only some browsers have it. A phone that changes from one network to another may never be offline.
  const { connection: network } = navigator as { connection?: EventTarget };
  network?.addEventListener?.('change', () => look(CHANGED), { signal });
  listen('visibilitychange', () => documentHas<boolean>('hidden') || look(), signal);
  listen('pagehide', sleep, signal);
  listen('freeze', sleep, signal);
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    // Timers of a hidden page are late anyway.
    const jumped = Math.abs(now - last - TICK) > JUMP && !documentHas<boolean>('hidden');
    last = now;
    tick(jumped);
  }, TICK);
  return () => {
    ending.abort();
    clearInterval(timer);
  };
}
