// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { HandshakeRefusedError } from "../connections/handshake/refusal.ts";
import type { Address } from "../wire/address.ts";
import { parseAddress } from "./addresses.ts";
import { withDeadline } from "./deadline.ts";
import { PeerServiceEvents } from "./events.ts";
import type { JoinTarget } from "./joining.ts";
import { decodeLocalState, encodeLocalState } from "./local_state.ts";
import type { Emit, Node } from "./node.ts";
import { nameOf } from "./node_name.ts";

/** What may be given to `join` and `syncJoin`. */
export interface JoinOptions {
  /**
   * Gives up joining.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
}

/** Who is in the cluster. */
export class MembershipApi extends PeerServiceEvents {
  /** @ignore The parts behind the surface. */
  protected readonly node: Node;

  /** @ignore */
  protected constructor(create: (emit: Emit) => Node) {
    super();
    this.node = create((type, detail) => this.emit(type, detail));
  }

  /** This node's name. */
  get name(): string {
    return this.node.self.name;
  }

  /** What this node tells others about itself. */
  get spec(): NodeSpec {
    return this.node.self;
  }

  /**
   * Names of all members, this node's own included, sorted.
   *
   * @example The members of a cluster of two
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assertEquals(a.members(), ["a", "b"]);
   * ```
   */
  members(): string[] {
    return [...this.node.overlay.members.keys()];
  }

  /**
   * Specifications of all members, sorted by name.
   *
   * @example Where the members listen
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   *
   * assertEquals(a.membersForOrchestration(), [a.spec, b.spec]);
   * ```
   */
  membersForOrchestration(): NodeSpec[] {
    return [...this.node.overlay.members.values()];
  }

  /**
   * Whether a node is a member.
   *
   * @example By name, and by specification
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assert(node.member("a"));
   * assert(node.member(node.spec));
   * assertFalse(node.member("b"));
   * ```
   */
  member(node: string | NodeSpec): boolean {
    return this.node.overlay.members.has(nameOf(node));
  }

  /**
   * Begins to join the cluster of `peer`; tries again for as long as nobody answers there. An attempt that is refused for good
   * becomes an `error` event. Joining oneself does nothing.
   *
   * @param peer Its specification, or `"host:port"`.
   * @throws {SyntaxError | RangeError} When `peer` is no address.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Join, and be told when it is done
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const joined = Promise.withResolvers<string>();
   * a.addEventListener("join", ({ detail }) => joined.resolve(detail.node));
   *
   * await a.join(b.spec);
   * assertEquals(await joined.promise, "b");
   * ```
   */
  // deno-lint-ignore require-await -- rejects rather than throws
  async join(peer: NodeSpec | Address | string, options: JoinOptions = {}): Promise<void> {
    const target = joinTarget(peer);
    this.node.checkRunning("join");
    this.node.join(target, this.node.untilStopped(options.signal)).catch((error) => {
      // Whoever gave it up knows that without being told.
      if (!(error instanceof HandshakeRefusedError)) return;
      const peer = "name" in target ? target.name : `${target.hostname}:${target.port}`;
      this.emit("error", { error, node: peer, during: `joining "${peer}"` });
    });
  }

  /**
   * Joins the cluster of `peer`, and waits until both know each other as members and every connection between them is open.
   *
   * @param peer Its specification, or `"host:port"`.
   * @throws {HandshakeRefusedError} When the peer refuses for good: another cluster, secret, version or strategy, or the name is in use.
   * @throws {DOMException} A `TimeoutError` when it takes longer than `joinTimeout` and no signal was given.
   * @throws The reason of the signal, once that is aborted.
   * @throws {StoppedError} When this node was stopped.
   *
   * @example Join by address, within 5 seconds
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const { hostname, port } = b.spec.addresses[0]!;
   *
   * await a.syncJoin(`${hostname}:${port}`, { signal: AbortSignal.timeout(5_000) });
   * assertEquals(a.members(), ["a", "b"]);
   * assert(a.isFullyConnected("b"));
   * ```
   */
  async syncJoin(peer: NodeSpec | Address | string, options: JoinOptions = {}): Promise<void> {
    const target = joinTarget(peer);
    this.node.checkRunning("join");
    const { runtime, joinTimeout } = this.node.settings;
    const what = `Cannot join ${describe(target)}`;
    const given = { signal: options.signal, timeout: options.signal === undefined ? joinTimeout : undefined };
    await withDeadline(runtime.clock, given, what, async (signal) => {
      const combined = this.node.untilStopped(signal);
      const joined = await this.node.join(target, combined);
      if (joined !== null) await this.node.joining.settled(joined, combined);
    });
  }

  /**
   * Removes a node from the cluster for good. Without an argument: this node, which the others forget before its connections
   * close, and which is a cluster of its own then. Another node learns that it was removed, emits `removed`, and stops. Does nothing when it is
   * no member. Where a node knows only a part of the cluster, one of the others can be removed by its specification, not by its name alone.
   *
   * @example Leave the cluster, and remove another from it
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await using c = await startPeerService({ name: "c" });
   * await a.syncJoin(b.spec);
   * await c.syncJoin(b.spec);
   * const removed = Promise.withResolvers<void>();
   * c.addEventListener("removed", () => removed.resolve());
   *
   * await a.leave();
   * assertEquals(b.members(), ["b", "c"]);
   * await b.leave("c");
   * await removed.promise;
   * assertEquals(b.members(), ["b"]);
   * ```
   */
  leave(node?: string | NodeSpec): Promise<void> {
    const name = node === undefined ? this.name : nameOf(node);
    this.node.checkRunning("leave");
    if (name === this.name) return this.node.leave();
    return this.node.remove(name, typeof node === "string" ? undefined : node);
  }

  /**
   * What this node knows of the cluster, as bytes for {@linkcode decode} on any node with the same strategy.
   *
   * @example What another node knows
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   *
   * assertEquals(a.decode(b.getLocalState()), [b.spec]);
   * ```
   */
  getLocalState(): Uint8Array {
    return encodeLocalState(this.node.settings.strategy, this.node.overlay.snapshot());
  }

  /**
   * Reads what {@linkcode getLocalState} returned, here or on another node.
   *
   * @returns The members that it knows, sorted by name.
   * @throws {SyntaxError | TypeError} When it is malformed, or of another strategy or version.
   *
   * @example Which members a state knows
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals, assertThrows } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   *
   * assertEquals(node.decode(node.getLocalState()).map(({ name }) => name), ["a"]);
   * assertThrows(() => node.decode(new Uint8Array([1, 2, 3])));
   * ```
   */
  decode(state: Uint8Array): NodeSpec[] {
    return this.node.overlay.membersOf(decodeLocalState(this.node.settings.strategy, state));
  }

  /**
   * Makes the membership what an orchestrator says: joins those that are missing, removes the surplus.
   *
   * @example Follow an orchestrator
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * const joined = Promise.withResolvers<void>();
   * a.addEventListener("join", () => joined.resolve());
   *
   * await a.updateMembers([a.spec, b.spec]);
   * await joined.promise;
   * assertEquals(a.members(), ["a", "b"]);
   * await a.updateMembers([a.spec]);
   * assertEquals(a.members(), ["a"]);
   * ```
   */
  async updateMembers(specs: readonly NodeSpec[]): Promise<void> {
    const { joiners, leavers } = this.node.overlay.compare(specs);
    for (const spec of joiners) await this.join(spec);
    for (const { name } of leavers) await this.leave(name);
  }
}

function joinTarget(peer: NodeSpec | Address | string): JoinTarget {
  return typeof peer === "object" && "addresses" in peer ? peer : parseAddress(peer);
}

function describe(target: JoinTarget): string {
  return "name" in target ? `"${target.name}"` : `"${target.hostname}:${target.port}"`;
}
