/** What a metric is read from; undefined: it has no value now. */
export type Read = () => number | undefined;

/** As {@link Read}, for a metric with one label: its values by the label's value. */
export type ReadAll = () => Readonly<Record<string, number>> | undefined;

/** Counts observations. */
export interface Distribution {
  observe(value: number): void;
}

/**
 * Where a stage registers its metrics. A metric is read when somebody asks for it, so that counting costs delivery nothing
 * more than the counter that the stage has anyway.
 */
export interface Meter {
  /** A value that may fall. */
  gauge(name: string, help: string, read: Read): void;
  gauges(name: string, help: string, label: string, read: ReadAll): void;
  /** A total since the start; its name ends in `_total`. */
  counter(name: string, help: string, read: Read): void;
  counters(name: string, help: string, label: string, read: ReadAll): void;
  /** A distribution of seconds. @param buckets - upper bounds, ascending */
  histogram(name: string, help: string, buckets: readonly number[]): Distribution;
  /** One distribution for each of these values of a label. */
  histograms<Value extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    label: string,
    values: readonly Value[],
  ): Readonly<Record<Value, Distribution>>;
}
