import { ActivityCounter } from '../../src/activity/counter.js';
import { Envelope } from '../../src/event/envelope.js';
import type { Meter } from '../../src/lib/meter.js';
import { Hooks, type HooksOptions } from '../../src/stream/hooks.js';
import { recordingLogger } from '../helpers/server.js';

/** An event for everybody. */
export const event = (
  id: number,
  type = 'note',
  more: { xid?: number | null; unstored?: boolean; scope?: 'control' } = {},
) =>
  new Envelope(
    id,
    more.xid === undefined ? id : more.xid,
    more.scope ?? 'public',
    null,
    type,
    0,
    '{"n":1}',
    null,
    more.unstored,
  );

/** Hooks, what they log, and what they count of each event. */
export function hooksOf(options: Partial<HooksOptions> = {}) {
  const { logger, lines } = recordingLogger();
  const activity = new ActivityCounter(10_000);
  activity.level = 'full';
  return { hooks: new Hooks({ timeout: 20, logger, activity, ...options }), lines, activity };
}

/** What a hook answers: now, and as a promise. */
export const bothWays = (answer: (event: object) => unknown) =>
  [answer, async (given: object) => answer(given)] as never[];

/** The values of what an object registers as metrics. */
export function metricsOf(stage: { metrics(meter: Meter): void }) {
  const values = new Map<string, () => unknown>();
  const add = (name: string, _: string, read: () => unknown) => void values.set(name, read);
  const addAll = (name: string, _: string, label: string, read: () => unknown) =>
    void values.set(`${name} ${label}`, read);
  const histograms = (name: string, _: string, label: string, read: unknown) =>
    void values.set(`${name} ${label}`, () => read);
  stage.metrics({ gauge: add, counter: add, counters: addAll, histograms } as unknown as Meter);
  return () => Object.fromEntries([...values].map(([name, read]) => [name, read()]));
}
