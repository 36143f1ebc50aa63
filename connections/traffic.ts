// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Histogram } from "../runtime/histogram.ts";

/** Milliseconds that what is sent waits until the socket has taken it, in ranges. */
const WAIT_BOUNDS_MS: readonly number[] = [0.1, 0.5, 1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/** Milliseconds that a handshake takes, in ranges. */
const HANDSHAKE_BOUNDS_MS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000];

/** Name for all channels that other nodes have and this one has not. */
export const OTHER_CHANNELS = "other";

/** Traffic over the connections of one channel. */
export interface ChannelTraffic {
  /** Bytes that came over connections that have closed. */
  bytesIn: number;
  /** Bytes that went over connections that have closed. */
  bytesOut: number;
  /** Time that each batch of frames waited for the socket, in milliseconds, from its first frame on. */
  readonly waits: Histogram;
}

/** Duration of handshakes that succeeded, in milliseconds, from the open stream on. */
export interface HandshakeTimes {
  /** Of streams that this node dialed. */
  readonly dialer: Histogram;
  /** Of streams that this node accepted. */
  readonly acceptor: Histogram;
}

/** Traffic over the connections of a node, those that have closed included. */
export class Traffic {
  /** By channel: one entry for each channel of this node, and {@linkcode OTHER_CHANNELS}. */
  readonly channels: ReadonlyMap<string, ChannelTraffic>;
  /** Bytes of the values that nodes say to each other on their own account, by kind of frame. */
  readonly valueBytes: Float64Array = new Float64Array(256);
  readonly handshakes: HandshakeTimes = {
    dialer: new Histogram(HANDSHAKE_BOUNDS_MS),
    acceptor: new Histogram(HANDSHAKE_BOUNDS_MS),
  };

  /** @param channels Names of the channels of this node. */
  constructor(channels: readonly string[]) {
    const names = new Set([...channels, OTHER_CHANNELS]);
    this.channels = new Map(
      [...names].map((name) => [name, { bytesIn: 0, bytesOut: 0, waits: new Histogram(WAIT_BOUNDS_MS) }]),
    );
  }

  /** Traffic over a channel. */
  of(channel: string): ChannelTraffic {
    return this.channels.get(channel) ?? this.channels.get(OTHER_CHANNELS)!;
  }

  /** A connection has closed. */
  closed(channel: string, bytesIn: number, bytesOut: number): void {
    const traffic = this.of(channel);
    traffic.bytesIn += bytesIn;
    traffic.bytesOut += bytesOut;
  }
}
