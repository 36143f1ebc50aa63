// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Histogram } from "../runtime/histogram.ts";
import type { Connection } from "./connection.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL } from "./peer.ts";

/** Milliseconds that what is sent waits until the socket has taken it, in ranges. */
const WAIT_BOUNDS_MS: readonly number[] = [0.1, 0.5, 1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/** What the channels are called that other nodes have and this one has not. */
export const OTHER_CHANNELS = "other";

/** What went over the connections of one channel. */
export interface ChannelTraffic {
  /** Bytes that came over connections that have closed. */
  bytesIn: number;
  /** Bytes that went over connections that have closed. */
  bytesOut: number;
  /** How long each batch of frames waited for the socket, in milliseconds, from its first frame on. */
  readonly waits: Histogram;
}

/** What went over the connections of a node, those that have closed included. */
export class Traffic {
  /** By channel: one entry for each channel of this node, and {@linkcode OTHER_CHANNELS}. */
  readonly channels: ReadonlyMap<string, ChannelTraffic>;
  /** Bytes of the values that nodes say to each other on their own account, by kind of frame. */
  readonly valueBytes: Float64Array = new Float64Array(256);

  /** @param channels Names of the channels of this node. */
  constructor(channels: readonly string[]) {
    const names = new Set([MEMBERSHIP_CHANNEL, DEFAULT_CHANNEL, ...channels, OTHER_CHANNELS]);
    this.channels = new Map(
      [...names].map((name) => [name, { bytesIn: 0, bytesOut: 0, waits: new Histogram(WAIT_BOUNDS_MS) }]),
    );
  }

  /** What went over a channel. */
  of(channel: string): ChannelTraffic {
    return this.channels.get(channel) ?? this.channels.get(OTHER_CHANNELS)!;
  }

  /** A connection has closed. */
  closed({ channel, reader, queue }: Connection): void {
    const traffic = this.of(channel);
    traffic.bytesIn += reader.bytesRead;
    traffic.bytesOut += queue.bytesWritten;
  }
}
