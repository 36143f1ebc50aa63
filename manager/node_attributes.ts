// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Peer } from "../connections/peer.ts";
import {
  type AttributeMessage,
  attributesFromValue,
  attributesToValue,
  checkKey,
} from "../gossip/attribute_message.ts";
import type { AttributeEvent } from "../gossip/attribute_directory.ts";
import { Attributes } from "../gossip/attributes.ts";
import { checkKind, FUNCTION, STRING } from "../runtime/options.ts";
import { StepDriver } from "../runtime/step_driver.ts";
import { FrameKind } from "../wire/frame_kind.ts";
import { decode } from "../wire/message_pack_decode.ts";
import { encode } from "../wire/message_pack_encode.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { sendControl } from "./control_sender.ts";
import type { NodeContext } from "./node_context.ts";
import type { ControlHandler, MembershipChange, Part } from "./part.ts";

/** Most owners of attributes that a node remembers. */
const OWNERS_MAX = 20_000;
/** Number of gossip intervals after which attributes that were not renewed are dropped, where no node knows all members. */
const EXPIRE_ROUNDS = 30;

/** Told when an attribute of a node changed; `value` is `undefined` when it was withdrawn, or its node cannot be seen any more. */
export type AttributeListener = (node: string, value: unknown) => void;

/** Attributes of nodes: carries them between the replicas of {@linkcode Attributes}, and tells users. */
export class NodeAttributes implements Part {
  readonly controls: readonly (readonly [FrameKind, ControlHandler])[] = [
    [FrameKind.attributes, (peer, value) => this.#receive(peer, value)],
  ];
  readonly #context: NodeContext;
  readonly #attributes: Attributes;
  readonly #driver: StepDriver<AttributeMessage, AttributeEvent>;
  readonly #listeners = new Map<string, Set<AttributeListener>>();
  readonly #isFullMesh: boolean;
  #isFlushing = false;

  constructor(context: NodeContext) {
    const { runtime, settings, self } = context;
    const { strategy, gossip } = settings;
    this.#context = context;
    this.#isFullMesh = strategy.isFullMesh ?? false;
    this.#attributes = new Attributes(self, {
      random: () => runtime.random.next(),
      fanout: gossip.fanout,
      bytesMax: settings.maxAttributeBytes,
      ownersMax: OWNERS_MAX,
      expireAfter: this.#isFullMesh ? null : EXPIRE_ROUNDS * gossip.interval,
    });
    this.#driver = new StepDriver({
      clock: runtime.clock,
      send: (to, message) => this.#send(to, message),
      tell: (event) => this.#tell(event),
    });
  }

  /**
   * Sets or withdraws an attribute of this node. Changes of one turn of the event loop travel together.
   *
   * @throws {TypeError | RangeError} When the key cannot be one, or all attributes together would be too large.
   * @throws {EncodeError} When the value cannot be encoded.
   */
  set(key: string, value: unknown): void {
    checkKey(key);
    this.#driver.do(this.#attributes.set(key, value === undefined ? undefined : encode(value)));
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#context.runtime.defer(() => {
      this.#isFlushing = false;
      if (!this.#context.stopped) this.#driver.do(this.#attributes.flush());
    });
  }

  /** Names of the nodes whose attributes can be seen. Where no node knows all members, they may be more than those that this one knows. */
  get owners(): string[] {
    return this.#attributes.owners;
  }

  /** All attributes of a node, by key. */
  of(node: string): Map<string, unknown> {
    return new Map([...this.#attributes.get(node)].map(([key, { value }]) => [key, decode(value)]));
  }

  /** One attribute of a node. */
  get(node: string, key: string): unknown {
    checkKind("Cannot read an attribute", "the key", key, STRING);
    const entry = this.#attributes.get(node).get(key);
    return entry === undefined ? undefined : decode(entry.value);
  }

  /** Has a listener told of every change of an attribute, of whatever node. */
  on(key: string, listener: AttributeListener): Disposable {
    checkKey(key);
    checkKind("Cannot listen for an attribute", "the listener", listener, FUNCTION);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    // The same function may listen twice.
    const own: AttributeListener = (node, value) => listener(node, value);
    listeners.add(own);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(own);
        if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
      },
    };
  }

  start(): void {
    const { appVersion } = this.#context.settings;
    if (appVersion !== undefined) this.set("appVersion", appVersion);
    this.#show(this.#context.members.values());
  }

  peerLinked({ name }: Peer): void {
    this.#driver.do(this.#attributes.addNeighbour(name));
  }

  peerUnlinked({ name }: Peer): void {
    this.#attributes.removeNeighbour(name);
  }

  peerUp({ name }: Peer): void {
    this.#showOne(name);
  }

  peerDown({ name }: Peer): void {
    this.#showOne(name);
  }

  membersChanged({ joined, renewed, left }: MembershipChange): void {
    this.#show(joined);
    this.#show(renewed);
    for (const { name } of left) this.#driver.do(this.#attributes.forget(name));
  }

  restart(self: NodeSpec): void {
    this.#driver.do(this.#attributes.restart(self));
    this.#show(this.#context.members.values());
  }

  periodic(): void {
    this.#driver.do(this.#attributes.round(this.#context.runtime.clock.now()));
  }

  #show(members: Iterable<NodeSpec>): void {
    for (const { name } of members) this.#showOne(name);
  }

  /** In a full mesh a node that is down is hidden. Elsewhere most nodes are not connected with this one, and count while they renew theirs. */
  #showOne(name: string): void {
    const member = this.#context.members.get(name);
    if (member === undefined) return;
    const peer = this.#context.pool.peers.get(name);
    const isVisible = !this.#isFullMesh || peer?.up === true;
    // The connection may know of a restart before the membership does.
    const incarnation = Math.max(member.incarnation, peer?.incarnation ?? 0);
    this.#driver.do(this.#attributes.show(name, incarnation, isVisible));
  }

  /** One that has not joined yet says of itself what it is, and is told nothing of others. */
  #receive({ name, isParty }: Peer, value: unknown): void {
    let message = attributesFromValue(value);
    if (!isParty) {
      if (message.kind !== "delta") return;
      message = { kind: "delta", deltas: message.deltas.filter(({ owner }) => owner === name), wanted: [] };
    }
    this.#driver.do(this.#attributes.receive(name, message, this.#context.runtime.clock.now()));
  }

  #send(to: string, message: AttributeMessage): void {
    const peer = this.#context.pool.peers.get(to);
    if (peer !== undefined) sendControl(peer, FrameKind.attributes, attributesToValue(message));
  }

  #tell({ node, key, value }: AttributeEvent): void {
    const { emit, stopped } = this.#context;
    if (stopped) return;
    const decoded = value === undefined ? undefined : decode(value);
    emit("attribute", { node, key, value: decoded });
    for (const listener of [...this.#listeners.get(key) ?? []]) this.#call(listener, node, decoded);
  }

  #call(listener: AttributeListener, node: string, value: unknown): void {
    try {
      listener(node, value);
    } catch (error) {
      this.#context.emit("error", { error, node, during: "calling a listener for an attribute" });
    }
  }
}
