// Copyright 2026 the Partisan peer-service authors. MIT license.

import { MembershipSet } from "../../membership/membership_set.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { fullMesh, type FullMeshOptions } from "../../strategy/full_mesh.ts";
import type { FullMeshState } from "../../strategy/full_mesh_state.ts";
import type { Outgoing, Strategy, StrategyContext, Transition } from "../../strategy/strategy.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { nodeSpec } from "../node_spec.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { entryOf, nthOf, present } from "../values.ts";

/** One node: its spec, what its strategy remembers, and the nodes to which it has a connection. */
export interface MeshNode {
  readonly spec: NodeSpec;
  state: FullMeshState;
  readonly connected: Set<string>;
  /** Number of messages that had been sent when it started: these can only have been for a former incarnation. */
  readonly since: number;
}

interface Letter {
  readonly number: number;
  readonly from: NodeSpec;
  readonly to: NodeSpec;
  readonly bytes: Uint8Array;
}

/** Options of a {@linkcode Mesh}, such as its treatment of messages. */
export interface MeshOptions extends FullMeshOptions {
  /** Probability that a message is lost; 0 to begin with. */
  readonly loss?: number;
  /** Whether messages overtake each other; otherwise they arrive in the order in which they were sent. */
  readonly reorder?: boolean;
}

/** Work of a manager for its strategy, for many nodes at once: connections that come and go, and messages in bytes. */
export class Mesh {
  readonly nodes = new Map<string, MeshNode>();
  readonly strategy: Strategy<FullMeshState>;
  /** Whether the one can reach the other. */
  reach: (a: string, b: string) => boolean = () => true;
  loss: number;
  now = 0;
  /** Messages and bytes that were sent since these were last set to 0. */
  frames = 0;
  bytes = 0;
  readonly #random: SeededRandom;
  readonly #reorder: boolean;
  #letters: Letter[] = [];
  #sent = 0;

  constructor(random: SeededRandom, { loss = 0, reorder = false, ...options }: MeshOptions = {}) {
    this.#random = random;
    this.loss = loss;
    this.#reorder = reorder;
    this.strategy = fullMesh(options);
  }

  /** Starts a node, which connects to those that its snapshot remembers; `since` is where the membership of that began. */
  start(name: string, incarnation = 1, snapshot?: unknown, since?: number): MeshNode {
    const addresses = [{ hostname: "127.0.0.1", port: 9_000 + incarnation }];
    const spec = nodeSpec(name, incarnation, { addresses, ...(since !== undefined && { since }) });
    const connected = new Set<string>();
    const { state } = this.strategy.init(spec, this.#context(connected), snapshot);
    const node = { spec, state, connected, since: this.#sent };
    this.nodes.set(name, node);
    this.reconnect();
    return node;
  }

  /** Ends a node, without a word. */
  crash(name: string): void {
    const { connected } = this.node(name);
    this.nodes.delete(name);
    for (const peer of connected) this.#disconnect(peer, name);
  }

  join(name: string, contact: string): void {
    const node = this.node(name);
    this.#connect(name, contact);
    this.#apply(node, this.strategy.join(node.state, this.node(contact).spec, this.#context(node.connected)));
  }

  leave(by: string, name: string): void {
    const node = this.node(by);
    const spec = node.state.set.get(name) ?? nodeSpec(name);
    this.#apply(node, this.strategy.leave(node.state, spec, this.#context(node.connected)));
  }

  /** One gossip interval of every node. Messages wait until they are delivered. */
  tick(interval = 1_000): void {
    this.now += interval;
    for (const node of this.nodes.values()) {
      this.#apply(node, this.strategy.periodic(node.state, this.#context(node.connected)));
    }
  }

  /** Delivers messages until none is left, or `most` were. */
  deliver(most = Infinity): void {
    for (let count = 0; count < most && this.#letters.length > 0; count++) {
      if (count > 1_000_000) throw new Error("They never stop talking");
      if (this.#reorder) {
        const index = this.#random.int(this.#letters.length);
        const letter = nthOf(this.#letters, index);
        const last = present(this.#letters.pop());
        if (last !== letter) this.#letters[index] = last;
        this.#receive(letter);
      } else {
        const round = this.#letters;
        this.#letters = [];
        for (const letter of round) this.#receive(letter);
      }
    }
  }

  /** Opens and closes connections after {@linkcode reach} has changed. */
  reconnect(): void {
    for (const [name, node] of this.nodes) {
      for (const peer of node.connected) if (!this.reach(name, peer)) this.#disconnect(name, peer);
    }
    for (const node of this.nodes.values()) this.#dialPeers(node);
  }

  /** Whether everyone has the same members by the same dots. */
  agree(): boolean {
    return new Set([...this.nodes.values()].map(({ state }) => JSON.stringify(state.set.digest()))).size === 1;
  }

  members(name: string): string[] {
    return this.strategy.members(this.node(name).state).map((member) => member.name);
  }

  node(name: string): MeshNode {
    return entryOf(this.nodes, name);
  }

  #context(connected: ReadonlySet<string>): StrategyContext {
    return { now: this.now, random: this.#random.next, connected };
  }

  #apply(node: MeshNode, { state, outgoing }: Transition<FullMeshState>): void {
    const changed = state.set !== node.state.set;
    node.state = state;
    for (const message of outgoing) this.#send(node.spec, message);
    if (changed) this.#dialPeers(node);
  }

  #send(from: NodeSpec, { to, message }: Outgoing): void {
    const bytes = encode(message);
    this.frames += 1;
    this.bytes += bytes.length;
    if (!this.#random.chance(this.loss)) this.#letters.push({ number: this.#sent++, from, to, bytes });
  }

  #receive({ number, from, to, bytes }: Letter): void {
    const node = this.nodes.get(to.name);
    if (node === undefined || number < node.since || !this.reach(from.name, to.name)) return;
    this.#apply(
      node,
      this.strategy.handleMessage(node.state, from, decode(bytes), this.#context(node.connected)),
    );
  }

  #dialPeers(node: MeshNode): void {
    for (const { name } of this.strategy.peers(node.state)) {
      if (!node.connected.has(name) && this.nodes.has(name) && this.reach(node.spec.name, name)) {
        this.#connect(node.spec.name, name);
      }
    }
  }

  #connect(a: string, b: string): void {
    for (const [here, there] of [[a, b], [b, a]] as const) this.node(here).connected.add(there);
    for (const [here, there] of [[a, b], [b, a]] as const) {
      const node = this.node(here);
      this.#apply(node, this.strategy.up(node.state, this.node(there).spec, this.#context(node.connected)));
    }
  }

  #disconnect(name: string, peer: string): void {
    for (const [here, there] of [[name, peer], [peer, name]] as const) {
      const node = this.nodes.get(here);
      if (node === undefined || !node.connected.delete(there)) continue;
      const spec = node.state.set.get(there) ?? nodeSpec(there);
      this.#apply(node, this.strategy.down(node.state, spec, this.#context(node.connected)));
    }
  }
}

/** The names of a cluster of `size`. */
export function nodeNames(size: number): string[] {
  return Array.from({ length: size }, (_, index) => `node-${index}@127.0.0.1`);
}

/** A cluster in which every node knows every node and all is quiet. */
export function settledMesh(random: SeededRandom, size: number, options: MeshOptions = {}): Mesh {
  const mesh = new Mesh(random, options);
  for (const name of nodeNames(size)) mesh.start(name);
  let set = MembershipSet.empty();
  for (const { state } of mesh.nodes.values()) set = set.merge(state.set);
  for (const node of mesh.nodes.values()) {
    node.state = { ...node.state, set };
    for (const name of mesh.nodes.keys()) if (name !== node.spec.name) node.connected.add(name);
  }
  return mesh;
}

/** Gossip rounds until all agree; each is one exchange of every node with its fan-out, from the first word to the last. */
export function roundsToAgree(mesh: Mesh): number {
  let rounds = 0;
  for (; !mesh.agree(); rounds++) {
    if (rounds === 100) throw new Error("They never agree");
    mesh.tick();
    mesh.deliver();
  }
  return rounds;
}
