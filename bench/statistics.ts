// Copyright 2026 the Partisan peer-service authors. MIT license.

/** The value below which a share of the values lies; of an even number, the upper one of the two in question. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The middle one. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** A distribution in short: `steps + 1` quantiles from the least to the greatest value. */
export function quantiles(values: ArrayLike<number>, steps: number): number[] {
  const sorted = Float64Array.from(values).sort();
  return Array.from({ length: steps + 1 }, (_, step) => sorted[Math.round((sorted.length - 1) * step / steps)]!);
}
