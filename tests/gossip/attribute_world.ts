// Copyright 2026 the Partisan peer-service authors. MIT license.

import { attributesFromValue, attributesToValue } from "../../gossip/attribute_message.ts";
import { Attributes, type AttributesOptions, type AttributesStep } from "../../gossip/attributes.ts";
import type { SeededRandom } from "../seeded_random.ts";

/** One node of an {@linkcode AttributeWorld}. */
export interface AttributeNode {
  readonly name: string;
  attributes: Attributes;
  incarnation: number;
  /** Values that its listeners were told last, by `owner/key`. */
  readonly told: Map<string, string>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Nodes that replicate attributes over links of which each delivers in order, at once or never. */
export class AttributeWorld {
  now = 0;
  /** Messages that were carried so far. */
  messages = 0;
  /** Whether a message gets lost. */
  isLost = (_from: string, _to: string): boolean => false;
  readonly nodes = new Map<string, AttributeNode>();
  readonly #random: SeededRandom;
  readonly #options: Partial<AttributesOptions>;
  #queue: { from: string; to: string; value: unknown }[] = [];

  constructor(random: SeededRandom, names: readonly string[], options: Partial<AttributesOptions> = {}) {
    this.#random = random;
    this.#options = options;
    for (const name of names) {
      const attributes = this.#create(name, 1);
      this.nodes.set(name, { name, attributes, incarnation: 1, told: new Map() });
    }
  }

  at(name: string): AttributeNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new RangeError(`No node "${name}"`);
    return node;
  }

  /** Everyone knows everyone as a member, and is linked with those that `isLinked` allows. */
  connect(isLinked: (one: string, other: string) => boolean = () => true): void {
    for (const { name, attributes } of this.nodes.values()) {
      for (const other of this.nodes.values()) {
        if (other.name !== name) this.perform(name, attributes.show(other.name, other.incarnation, true));
      }
    }
    for (const { name, attributes } of this.nodes.values()) {
      const linked = [...this.nodes.keys()].filter((other) => other !== name && isLinked(name, other));
      for (const other of linked) this.perform(name, attributes.addNeighbour(other));
    }
    this.settle();
  }

  /** Sets an attribute, and tells the neighbours. */
  set(name: string, key: string, value: string | undefined): void {
    this.setAll(name, { [key]: value });
  }

  /** Sets attributes, and tells the neighbours of all at once. */
  setAll(name: string, values: Readonly<Record<string, string | undefined>>): void {
    const { attributes } = this.at(name);
    for (const [key, value] of Object.entries(values)) {
      this.perform(name, attributes.set(key, value === undefined ? undefined : encoder.encode(value)));
    }
    this.perform(name, attributes.flush());
  }

  /** Attributes that a node sees of another one. */
  seen(at: string, of: string): Record<string, string> {
    const entries = [...this.at(at).attributes.get(of)].map(([key, { value }]) =>
      [key, decoder.decode(value)] as const
    );
    return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** One gossip interval: everyone's round, one after another, and all that follows. */
  round(interval = 1_000): void {
    this.now += interval;
    for (const { name, attributes } of this.nodes.values()) {
      this.perform(name, attributes.round(this.now));
      this.settle();
    }
  }

  /** Ends a node and begins it anew, as another incarnation that remembers nothing. */
  restart(name: string): void {
    const node = this.at(name);
    node.incarnation++;
    node.attributes = this.#create(name, node.incarnation);
    node.told.clear();
  }

  /** Carries messages until there are none. */
  settle(): void {
    // The queue grows while it is walked.
    for (const { from, to, value } of this.#queue) {
      const node = this.nodes.get(to);
      if (node === undefined || this.isLost(from, to)) continue;
      this.messages++;
      this.perform(to, node.attributes.receive(from, attributesFromValue(value), this.now));
    }
    this.#queue = [];
  }

  perform(name: string, { outgoing, events }: AttributesStep): void {
    const { told } = this.at(name);
    for (const { node, key, value } of events) {
      if (value === undefined) told.delete(`${node}/${key}`);
      else told.set(`${node}/${key}`, decoder.decode(value));
    }
    for (const { to, message } of outgoing) this.#queue.push({ from: name, to, value: attributesToValue(message) });
  }

  #create(name: string, incarnation: number): Attributes {
    return new Attributes({ name, incarnation }, {
      random: this.#random.next,
      fanout: 2,
      bytesMax: 65_536,
      ownersMax: 10_000,
      expireAfter: null,
      ...this.#options,
    });
  }
}
