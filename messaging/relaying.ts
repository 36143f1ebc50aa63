// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeIncarnation, NodeSpec } from "../wire/node_spec.ts";
import type { ConnectionPool } from "../connections/connection_pool.ts";
import type { Clock } from "../runtime/runtime.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { decode } from "../wire/message_pack_decode.ts";
import { encode } from "../wire/message_pack_encode.ts";
import { DEFAULT_CHANNEL, type Peer } from "../connections/peer.ts";
import { type SendOutcome, trySendValue } from "../connections/send_value.ts";
import { type Envelope, envelopeFromValue, envelopeToValue } from "../wire/envelope.ts";
import { acknowledgementFromValue } from "./acknowledgement.ts";
import { MessageTooLargeError, NotConnectedError } from "./errors.ts";
import type { OutboundMessage } from "./outbound.ts";
import type { PayloadCodec } from "../wire/payload_codec.ts";
import { Relay, type RelayStep } from "./relay.ts";
import { RelayBudget } from "./relay_budget.ts";
import { type RelayedMessage, RelayedMessages } from "./relayed_messages.ts";
import { traceFromValue } from "../wire/trace_context.ts";
import { parseRelayHeader, type RelayHeader } from "../wire/relay_header.ts";

/** Arrival of a message or acknowledgement that was relayed. */
export type RelayedArrival =
  | {
    readonly kind: "message";
    readonly name: string;
    readonly cast: boolean;
    readonly channel: string;
    readonly envelope: Envelope | undefined;
    readonly message: unknown;
    readonly bytes: number;
    readonly trace: Uint8Array | undefined;
  }
  | { readonly kind: "acknowledgement"; readonly value: unknown }
  | { readonly kind: "cancel"; readonly value: unknown };

/** The word that a message has arrived. */
interface RelayedWord {
  readonly kind: "arrived";
  readonly number: unknown;
}

/** Counters of a {@linkcode Relaying}. */
export interface RelayStats {
  /** Messages passed on for others. */
  relayed: number;
  /** Messages dropped because they had no way to go, or had gone too far. */
  lost: number;
}

/** Dependencies of a {@linkcode Relaying}. */
export interface RelayingOptions {
  readonly pool: ConnectionPool;
  readonly codec: PayloadCodec;
  /** Most links that a message may go along. */
  readonly ttl: number;
  /** A positive number by chance, which cannot be guessed. */
  readonly chance: () => number;
  /** Root of the spanning tree that was used last, if there is any. */
  readonly lastRoot: () => string | undefined;
  /** Names of the neighbours along the spanning tree of a root. */
  readonly treeLinks: (root: string) => readonly string[];
  /** Whether a node can be in the cluster, as far as is known here. */
  readonly isKnown: (name: string) => boolean;
  readonly clock: Pick<Clock, "now">;
  /** Milliseconds in which the word must come back that a message has arrived. */
  readonly patience: number;
  /** Told of a message without a guarantee of which no word has come back. */
  readonly missed: (message: RelayedMessage) => void;
  /** Takes what was for this node, and `teller` has passed on. @returns Whether it could be from that incarnation, as far as is known here. */
  readonly arrived: (from: NodeIncarnation, what: RelayedArrival, teller: string) => boolean;
}

/** Nodes whose proofs are remembered: as many as one node has relayed messages with, most of the time. */
const PROOFS_MAX = 4_096;

/**
 * Carries messages over other nodes to where there is no direct connection.
 *
 * A node that passes a message on can name any node as its origin. So an acknowledgement that comes this way shows a proof: a number by chance that
 * the messages to its sender carry, and that only nodes on their way have seen.
 */
export class Relaying {
  readonly stats: RelayStats = { relayed: 0, lost: 0 };
  readonly #options: RelayingOptions;
  readonly #awaited: RelayedMessages;
  readonly #budget = new RelayBudget();
  readonly #relay: Relay;
  /** By destination: the proof that messages to it carry. */
  readonly #given = new Map<string, number>();
  /** By origin: the proof that its messages carry. */
  readonly #shown = new Map<string, number>();

  constructor(options: RelayingOptions, self: NodeSpec) {
    this.#options = options;
    this.#awaited = new RelayedMessages(options.patience);
    this.#relay = new Relay(self, { ttl: options.ttl, first: options.chance });
  }

  /** Begins again as another incarnation of this node. Word of what the former one has sent is awaited all the same. */
  restart(self: NodeSpec): void {
    this.#relay.restart(self);
  }

  /**
   * Sends a message on its way.
   *
   * @throws {NotConnectedError} When there is no node to hand it to.
   * @throws {EncodeError} When it cannot be encoded.
   * @throws {MessageTooLargeError} When those that it could be handed to take none of that size.
   */
  send({ node, name, cast, envelope, message, options, repeated, trace }: OutboundMessage): void {
    const { channel = DEFAULT_CHANNEL, outLinks } = options;
    const marks = envelope === undefined ? null : envelopeToValue(envelope);
    const proof = envelope === undefined ? 0 : this.#proofFor(node);
    const body = encode(["message", name, cast, channel, marks, this.#options.codec.encode(message), proof]);
    // A tree that nodes have gone from is whole again only with the next broadcast along it, and what is not acknowledged is not repeated.
    const isFlood = repeated === true || (envelope === undefined && outLinks === undefined);
    const number = this.#begin(node, body, outLinks, isFlood, trace);
    if (envelope === undefined) this.#awaited.add(number, { node, name }, this.#options.clock.now());
  }

  /** Tells which messages have not arrived, as far as is known. Called now and then. */
  tick(): void {
    for (const message of this.#awaited.overdue(this.#options.clock.now())) this.#options.missed(message);
  }

  /** Sends an acknowledgement on its way back. One that is repeated goes to all nodes: along the tree it may have come to a dead end. */
  sendAcknowledgement(node: string, acknowledgement: unknown, isRepeated: boolean): void {
    // Where there is no way now, a repetition of the message will bring another acknowledgement.
    this.#sendBack(node, ["receipt", acknowledgement, this.#shown.get(node) ?? 0], isRepeated);
  }

  /** Sends word on its way that a call was given up, or the answer to that. */
  sendCancel(node: string, value: number | [number]): void {
    // Where there is no way now, it is said again later.
    this.#sendBack(node, ["cancel", value], true);
  }

  /**
   * Takes a relayed message from a peer.
   *
   * @throws {TypeError} When it is malformed.
   */
  receive(peer: Peer, value: unknown): void {
    const [head, body, given] = Array.isArray(value) ? value : [];
    const trace = traceFromValue(given);
    if (!(body instanceof Uint8Array)) throw new TypeError("Cannot read a relayed message: it has no body");
    const header = parseRelayHeader(head);
    // No node knows the way to a node that there is not: it would go to all nodes, from all nodes.
    if (!this.#options.isKnown(header.destination)) {
      this.stats.lost++;
      return;
    }
    const step = this.#relay.receive(header, { connected: this.#connected(), outLinks: this.#linksOf(header.tree) });
    if (step.outcome === "arrived") this.#take(peer, header, body, trace);
    else if (step.outcome === "forwarded") {
      this.stats.relayed++;
      this.#pass(this.#afforded(peer, step, body), body, trace);
    } else if (step.outcome !== "duplicate") {
      this.stats.lost++;
    }
  }

  /** Takes what is for this node. The peer that has brought it has not read it: that it cannot be read is not the fault of that one. */
  #take(peer: Peer, header: RelayHeader, body: Uint8Array, trace: Uint8Array | undefined): void {
    let what: RelayedArrival | RelayedWord | undefined;
    try {
      what = this.#arrival(header.origin, body, trace);
    } catch {
      what = undefined;
    }
    if (what === undefined) return void this.stats.lost++;
    // Another node can name any origin. Where that is at the other end of a connection it speaks for itself: it repeats what counts.
    const isHearsay = peer.name !== header.origin || peer.incarnation !== header.incarnation;
    const counts = what.kind !== "message" || what.envelope !== undefined;
    if (isHearsay && counts && this.#connected().has(header.origin)) this.stats.lost++;
    else this.#arrived(header, what, peer.name);
  }

  #arrived(
    { origin, incarnation, sequence }: RelayHeader,
    what: RelayedArrival | RelayedWord,
    teller: string,
  ): void {
    if (what.kind === "arrived") return this.#awaited.arrived(origin, what.number);
    if (!this.#options.arrived({ name: origin, incarnation }, what, teller)) return void this.stats.lost++;
    if (what.kind === "message" && what.envelope === undefined) this.#sendBack(origin, ["arrived", sequence]);
  }

  /** Sends something on its way that may get lost. */
  #sendBack(node: string, value: unknown, isFlood = false): void {
    try {
      this.#begin(node, encode(value), undefined, isFlood);
    } catch {
      // There is no way now.
    }
  }

  /** @returns The number of the message. */
  #begin(
    node: string,
    body: Uint8Array,
    outLinks: readonly string[] | undefined,
    isFlood: boolean,
    trace?: Uint8Array,
  ): number {
    const tree = isFlood ? null : this.#options.lastRoot() ?? null;
    const links = isFlood ? [] : outLinks ?? this.#linksOf(tree);
    const step = this.#relay.send(node, { connected: this.#connected(), outLinks: links }, tree);
    const outcome = step.outcome === "forwarded" ? this.#pass(step, body, trace) : "full";
    if (outcome === "too-large") {
      throw new MessageTooLargeError(
        `Cannot relay to "${node}": the message has ${body.length} bytes, which is more than the next node takes`,
      );
    }
    if (outcome === "full") {
      throw new NotConnectedError(`Cannot relay to "${node}": there is no connection to a node that could pass it on`);
    }
    return step.header.sequence;
  }

  /** The step as far as the peer that handed the message over can pay for it: when not to all, it goes to one by chance, and one way from there on. */
  #afforded(peer: Peer, step: RelayStep, { length }: Uint8Array): RelayStep {
    const { header, next } = step;
    const copies = next.length - 1;
    if (copies === 0) return step;
    if (!header.single && this.#budget.pay(peer, copies, length, this.#options.clock.now())) return step;
    const chosen = this.#options.chance() % next.length;
    return { outcome: "forwarded", header: { ...header, single: true }, next: next.slice(chosen, chosen + 1) };
  }

  /** A message keeps to the tree that it began on: a bit of each of several might lead round in circles, and not to everyone. */
  #linksOf(tree: string | null): readonly string[] {
    return tree === null ? [] : this.#options.treeLinks(tree);
  }

  /** @returns `sent` when it went to one of them at least, otherwise what was in the way. */
  #pass({ header, next }: RelayStep, body: Uint8Array, trace: Uint8Array | undefined): SendOutcome {
    const outcomes = new Set<SendOutcome>();
    for (const name of next) {
      const connection = this.#options.pool.peers.get(name)?.pick(DEFAULT_CHANNEL, undefined) ?? null;
      if (connection === null) continue;
      const isTraced = trace !== undefined && connection.features.has("trace");
      outcomes.add(trySendValue(connection, FrameKind.relay, isTraced ? [header, body, trace] : [header, body]));
    }
    return outcomes.has("sent") ? "sent" : outcomes.has("too-large") ? "too-large" : "full";
  }

  /** Reads the arrival, or throws; `undefined` when it is an acknowledgement without proof that its sender has got anything from here. */
  #arrival(origin: string, body: Uint8Array, trace: Uint8Array | undefined): RelayedArrival | RelayedWord | undefined {
    const [kind, ...rest] = decode(body) as unknown[];
    if (kind === "receipt") {
      const given = this.#given.get(origin);
      if (given === undefined || rest[1] !== given) return undefined;
      acknowledgementFromValue(rest[0]);
      return { kind: "acknowledgement", value: rest[0] };
    }
    if (kind === "arrived") return { kind, number: rest[0] };
    if (kind === "cancel") {
      if (Number.isSafeInteger(rest[0]) || Array.isArray(rest[0])) return { kind, value: rest[0] };
      throw new TypeError("Cannot read a relayed word that a call was given up: it has no number");
    }
    const [name, cast, channel, marks, bytes, proof] = rest;
    if (
      kind !== "message" || typeof name !== "string" || typeof cast !== "boolean" || typeof channel !== "string" ||
      !(bytes instanceof Uint8Array)
    ) throw new TypeError("Cannot read a relayed message: its body is malformed");
    const envelope = marks === null ? undefined : envelopeFromValue(marks);
    if (envelope !== undefined && typeof proof === "number") remember(this.#shown, origin, proof);
    const message = this.#options.codec.decode(bytes);
    return { kind, name, cast, channel, envelope, message, bytes: bytes.length, trace };
  }

  #proofFor(destination: string): number {
    const proof = this.#given.get(destination) ?? this.#options.chance();
    remember(this.#given, destination, proof);
    return proof;
  }

  #connected(): ReadonlySet<string> {
    const isUsable = (peer: Peer) => peer.up && !peer.partitioned && !peer.unreachable && peer.carries(DEFAULT_CHANNEL);
    return new Set([...this.#options.pool.peers.values()].filter(isUsable).map(({ name }) => name));
  }
}

/** Remembers a proof, at the cost of the one that was used least recently. */
function remember(proofs: Map<string, number>, node: string, proof: number): void {
  proofs.delete(node);
  proofs.set(node, proof);
  for (const oldest of proofs.keys()) {
    if (proofs.size <= PROOFS_MAX) break;
    proofs.delete(oldest);
  }
}
