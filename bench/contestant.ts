// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { TlsCredentials } from "../mod.ts";
import { type ChannelTraffic, Traffic } from "../connections/traffic.ts";
import { Interpositions } from "../messaging/interposition.ts";
import { Histogram } from "../runtime/histogram.ts";
import { PeerService } from "./peer_service.ts";
import { RawAcknowledged } from "./raw_acknowledged.ts";
import { RawLines } from "./raw_lines.ts";
import { RawSocket } from "./raw_socket.ts";

/** Ways to bring messages from one process to another. */
export type ContestantName = "raw" | "acknowledged" | "lines" | "ours" | "unhooked" | "unmeasured";

/** Link between the two ends. */
export interface Link {
  /**
   * Host name at which the server listens.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /**
   * Port on which this end listens.
   *
   * @default {any that is free}
   */
  readonly port?: number;
  /**
   * Port that the other end dials in its place: a relay listens there.
   *
   * @default {the same}
   */
  readonly front?: number;
  /**
   * Connections, among which handlers are spread.
   *
   * @default {1}
   */
  readonly parallelism?: number;
  /**
   * Whether each connection is a channel of its own, rather than one of the default channel's.
   *
   * @default {false}
   */
  readonly channels?: boolean;
  /**
   * Protection of the connection.
   *
   * @default {"plain"}
   */
  readonly trust?: Trust;
  /** Certificates that both ends show and trust, with `tls`. */
  readonly credentials?: TlsCredentials;
  /**
   * Directory where both ends look for each other's Unix sockets.
   *
   * @default {nowhere}
   */
  readonly directory?: string;
  /**
   * Processors that the two ends keep to.
   *
   * @default {any}
   */
  readonly processors?: Processors;
}

/** Numbers of processors. */
export interface Processors {
  readonly server: number;
  readonly client: number;
}

/** Nothing; a secret: then every byte is sealed; or mutual TLS. */
export type Trust = "plain" | "secret" | "tls";

/** One end of a pair of processes, in the one way or the other. A scenario is written once, over this. */
export interface Contestant {
  /** Takes one peer. @returns Address for the other process to connect to. */
  listen(): Promise<string>;
  /** Connects with the process that listens. */
  connect(address: string): Promise<void>;
  /** Says who takes the messages to handler `index`, and whether it is done with their bytes when it returns. */
  on(index: number, take: (message: unknown) => void, borrow?: boolean): void;
  /** Sends a message to handler `index` of the other end. @returns Whether more may be sent at once. */
  send(index: number, message: unknown): boolean;
  /** Makes a message that came in fit to be sent back by its handler. */
  keep(message: unknown): unknown;
  /** Resolves once messages to handler `index` may be sent again. */
  ready(index: number): Promise<void>;
  /** Closes everything. */
  close(): Promise<void>;
}

/** Makes one end of a pair. */
export function contestantOf(name: ContestantName, link: Link): Promise<Contestant> | Contestant {
  switch (name) {
    case "raw":
      return new RawSocket(link);
    case "acknowledged":
      return new RawAcknowledged(link);
    case "lines":
      return new RawLines(link);
    case "unhooked":
      // As if the message's way did not lead past the interposition functions.
      Object.defineProperty(Interpositions.prototype, "active", { value: false });
      return PeerService.start(link);
    case "unmeasured":
      // As if no node wanted to know how long anything takes, or how much goes where.
      Histogram.prototype.record = () => {};
      Traffic.prototype.of = () => ({ bytesIn: 0, bytesOut: 0 }) as ChannelTraffic;
      return PeerService.start(link);
    case "ours":
      return PeerService.start(link);
  }
}
