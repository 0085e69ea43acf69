import type { Histogram } from './histogram.js';

/** Reads the value of a metric; undefined: it has no value now. */
export type Read = () => number | undefined;

type Values = Readonly<Record<string, number>> | undefined;

/** Reads the values of a metric with one label, by the value of the label. */
export type ReadAll = () => Values | Promise<Values>;

/**
 * Registers the metrics of a stage. A metric is read only when somebody asks for it, so it costs delivery no more than the counter that the
 * stage has anyway.
 */
export interface Meter {
  /** A value that may fall. */
  gauge(name: string, help: string, read: Read): void;
  gauges(name: string, help: string, label: string, read: ReadAll): void;
  /** A total since the start; its name ends in `_total`. */
  counter(name: string, help: string, read: Read): void;
  counters(name: string, help: string, label: string, read: ReadAll): void;
  /** A distribution of seconds. */
  histogram(name: string, help: string, read: Histogram): void;
  /** One distribution for each value of a label. */
  histograms(name: string, help: string, label: string, read: Readonly<Record<string, Histogram>>): void;
}

/** A yes or no as the value of a gauge; undefined: not known. */
export const toGauge = (value: boolean | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);
