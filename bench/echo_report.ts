// Copyright 2026 the Partisan peer-service authors. MIT license.

import { quantile, quantiles } from "./statistics.ts";

/** Round-trip times, in microseconds. */
export interface EchoReport {
  readonly p50: number;
  readonly p99: number;
  /** The whole distribution: 101 quantiles. */
  readonly quantiles: readonly number[];
}

/** Takes single times together. */
export function echoReport(times: Float64Array): EchoReport {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), quantiles: quantiles(times, 100) };
}
