import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

/** Microseconds, from 1 to a minute, three digits exact. */
export const newHistogram = (): Histogram =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  });

/** Records microseconds; what is beyond a minute counts as a minute. */
export const record = (histogram: Histogram, microseconds: number): void =>
  histogram.recordValue(Math.min(59_999_999, Math.max(1, Math.round(microseconds))));

/** A histogram as text, to be sent to another process or kept. */
export const pack = (histogram: Histogram): string => encodeIntoCompressedBase64(histogram);

/** The sum of packed histograms. */
export function merge(packed: string[]): Histogram {
  const sum = newHistogram();
  for (const text of packed) sum.add(decodeFromCompressedBase64(text, 32));
  return sum;
}

export interface Percentiles {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** In milliseconds. */
export const percentiles = (histogram: Histogram): Percentiles => ({
  p50: histogram.getValueAtPercentile(50) / 1000,
  p90: histogram.getValueAtPercentile(90) / 1000,
  p99: histogram.getValueAtPercentile(99) / 1000,
  max: histogram.maxValue / 1000,
});

/** `[percentile, milliseconds]` pairs for a chart. */
export const curve = (histogram: Histogram): [number, number][] =>
  [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99].map((p) => [p, histogram.getValueAtPercentile(p) / 1000]);
