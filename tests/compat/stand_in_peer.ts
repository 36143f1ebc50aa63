// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock, Timer } from "../../runtime/runtime.ts";
import type { Address } from "../../wire/address.ts";
import type { ByteStream, Listener, Transport } from "../../transport/transport.ts";
import { unpack } from "./message_pack.ts";
import { StandInLink } from "./stand_in_link.ts";
import { StandInMembers, type StandInSpec } from "./stand_in_members.ts";
import { StandInMessages } from "./stand_in_messages.ts";
import { entryOf, firstOf, present } from "../values.ts";

/** The kinds of frames of this release. */
const KNOWN = [
  ...[0x01, 0x02, 0x03, 0x04, 0x05, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x18, 0x20, 0x21, 0x22, 0x23, 0x25],
];

const TICK_MS = 50;
const COURTESY_MS = 1_000;
const MAX_FRAME_BYTES = 1_048_576;

/** Options of {@linkcode StandInPeer}. */
export interface StandInOptions {
  readonly name: string;
  readonly incarnation: number;
  readonly address: Address;
  readonly transport: Transport;
  readonly clock: Pick<Clock, "now" | "schedule">;
  readonly cluster?: string;
  readonly channels?: Readonly<Record<string, { readonly parallelism?: number; readonly monotonic?: boolean }>>;
  readonly heartbeatInterval?: number;
  /** Versions in the hello; the releases that this one stands in for say `[2, 2]`. */
  readonly versions?: readonly [oldest: number, newest: number];
  readonly features?: readonly string[];
}

interface Place {
  readonly link: StandInLink;
  readonly spec: StandInSpec;
  /** The number of the other side's dial, 0 when this side dialed. */
  readonly dial: number;
}

/**
 * A node of protocol version 2 as `docs/protocol.md` tells how to write one: an open cluster, the full mesh, heartbeats, messages,
 * acknowledgements, calls, broadcasts. It shares no code with the library, knows none of its optional features, and must go on to be
 * understood by every later release that speaks version 2. Change it only where it does not do what the documents said at version 2.
 */
export class StandInPeer {
  readonly spec: StandInSpec;
  readonly messages: StandInMessages;
  /** Kinds of frames that it does not know, and should not have been sent. */
  readonly strange: number[] = [];
  /** Refusals that it met. */
  readonly refusals: string[] = [];
  readonly #options: StandInOptions;
  readonly #members: StandInMembers;
  readonly #places = new Map<string, Place>();
  readonly #dialing = new Set<string>();
  readonly #missingSince = new Map<string, number>();
  readonly #watchers = new Set<string>();
  readonly #accepting = new Set<StandInLink>();
  #listener: Listener | null = null;
  #timer: Timer | null = null;
  #dials = 0;
  #counter = 0;
  #heartbeatAt = 0;
  #stopped = false;

  constructor(options: StandInOptions) {
    this.#options = options;
    const { name, incarnation, address, channels = {} } = options;
    const plain = { parallelism: 1, monotonic: false, compression: false };
    const own = Object.entries(channels).map(([channel, given]) => [channel, { ...plain, ...given }]);
    this.spec = {
      name,
      incarnation,
      addresses: [address],
      channels: { default: plain, membership: plain, ...Object.fromEntries(own) },
      metadata: {},
    };
    this.#members = new StandInMembers(this.spec);
    this.messages = new StandInMessages(this.spec, options.clock, (to, channel, key) => this.#pick(to, channel, key));
  }

  /** Names of all members. */
  get members(): string[] {
    return this.#members.names;
  }

  /** Whether every connection with a node is open. */
  isFullyConnected(name: string): boolean {
    const spec = this.#members.others.find((other) => other.name === name);
    return spec !== undefined && this.#slotsWith(spec).every((place) => this.#places.has(place));
  }

  /** Listens, and joins the cluster of the node at `contact`. */
  async start(contact?: Address): Promise<void> {
    const { transport, address } = this.#options;
    this.#listener = await transport.listen(address, (stream) => void this.#accept(stream));
    this.#tick();
    if (contact === undefined) return;
    const place = await this.#dial(null, [contact], "membership", 0);
    place?.link.sendValue(0x10, [3, this.#members.values()]);
  }

  /** Leaves the cluster. */
  async leave(): Promise<void> {
    const entry = this.#members.remove(this.spec.name);
    const links = this.#linksOf("membership");
    for (const link of links) link.sendValue(0x10, [2, [entry], []]);
    await Promise.all(links.map((link) => link.flushed()));
    this.stop();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#listener?.close();
    for (const link of this.#accepting) link.close();
    for (const { link } of this.#places.values()) link.close();
  }

  /** Sends a message to the handler `name` of every other member, whose nodes pass it on. It goes to one of them first, if that is named. */
  broadcast(name: string, value: unknown, first?: string): void {
    const place = this.#places.get(placeOf(first ?? "", "default", 0));
    this.messages.broadcast(place === undefined ? this.#linksOf("default") : [place.link], name, value);
  }

  // Connections: "Handshake" and "Which connection, and which side dials".

  async #accept(stream: ByteStream): Promise<void> {
    const link = new StandInLink(stream);
    this.#accepting.add(link);
    const frames = link.frames();
    const refuse = (code: string) => {
      link.sendValue(0x05, { code, reason: `refused by ${this.spec.name}` });
      void link.flushed().then(() => link.close());
    };
    const hello = (await frames.next()).value;
    const introduction = (await frames.next()).value;
    if (!hello || !introduction || hello[0] !== 0x01 || introduction[0] !== 0x03) return link.close();
    const view = new DataView(hello[1].buffer);
    if (view.getUint16(4) > 2 || view.getUint16(6) < 2) return refuse("version");
    if (new TextDecoder().decode(hello[1].subarray(11)) !== (this.#options.cluster ?? "default")) {
      return refuse("cluster");
    }
    const { spec, to, channel, index, dial } = unpack(introduction[1]) as Introduction;
    if (spec.name === this.spec.name) return refuse("self");
    if (to !== null && to !== this.spec.name) return refuse("wrong-node");
    const place = placeOf(spec.name, channel, index);
    if (this.#dialing.has(place) && this.spec.name < spec.name) return refuse("duplicate");
    const { features = [] } = this.#options;
    link.sendValue(0x04, { version: 2, spec: this.spec, features, maxFrameBytes: MAX_FRAME_BYTES });
    this.#accepting.delete(link);
    await this.#serve(place, { link, spec, dial }, channel, frames);
  }

  async #dial(to: string | null, addresses: readonly Address[], channel: string, index: number): Promise<Place | null> {
    const { transport, cluster = "default", versions = [2, 2], features = [] } = this.#options;
    const key = placeOf(to ?? "", channel, index);
    if (this.#dialing.has(key)) return null;
    this.#dialing.add(key);
    try {
      const link = new StandInLink(await transport.connect(firstOf(addresses)));
      this.#accepting.add(link);
      const name = new TextEncoder().encode(cluster);
      const hello = new Uint8Array(11 + name.length);
      hello.set(new TextEncoder().encode("PSPS"));
      new DataView(hello.buffer).setUint16(4, versions[0]);
      new DataView(hello.buffer).setUint16(6, versions[1]);
      hello[10] = name.length;
      hello.set(name, 11);
      link.send(0x01, hello);
      const dial = ++this.#dials;
      const seen = this.#places.get(key)?.dial ?? 0;
      const asked = { strategy: "full-mesh", spec: this.spec, to, toIncarnation: 0, channel, index, dial, seen };
      link.sendValue(0x03, { ...asked, features, maxFrameBytes: MAX_FRAME_BYTES });
      const frames = link.frames();
      let answer = (await frames.next()).value;
      if (answer?.[0] === 0x02) {
        link.send(0x03, new Uint8Array(0));
        answer = (await frames.next()).value;
      }
      this.#accepting.delete(link);
      if (answer?.[0] === 0x05) this.refusals.push((unpack(answer[1]) as { code: string }).code);
      if (answer?.[0] !== 0x04 || this.#stopped) return link.close(), null;
      const { spec } = unpack(answer[1]) as { spec: StandInSpec };
      const place = { link, spec, dial: 0 };
      void this.#serve(placeOf(spec.name, channel, index), place, channel, frames);
      return place;
    } catch {
      return null;
    } finally {
      this.#dialing.delete(key);
    }
  }

  async #serve(key: string, place: Place, channel: string, frames: ReturnType<StandInLink["frames"]>): Promise<void> {
    this.#places.get(key)?.link.close();
    this.#places.set(key, place);
    if (channel !== "membership") this.messages.opened(place.spec.name);
    for await (const [kind, body] of frames) {
      if (this.#stopped) break;
      this.#take(place, kind, body);
    }
    place.link.close();
    if (this.#places.get(key) === place) this.#places.delete(key);
  }

  #take(place: Place, kind: number, body: Uint8Array): void {
    const { link, spec } = place;
    if (!KNOWN.includes(kind)) return void this.strange.push(kind);
    if (kind === 0x10) return this.#takeGossip(link, unpack(body) as [number, ...unknown[]]);
    if (kind === 0x11) return this.#takeHeartbeat(link, spec.name, unpack(body));
    if (kind === 0x12) return link.send(0x13, body);
    if (kind === 0x20) return void link.namesIn.push(new TextDecoder().decode(body));
    if (kind === 0x15) return this.messages.takeBroadcast(link, this.#linksOf("default"), unpack(body) as unknown[]);
    if (kind >= 0x21 && kind <= 0x23) this.messages.take(link, spec, kind, body);
  }

  #tick(): void {
    const { clock, heartbeatInterval = 1_000 } = this.#options;
    for (const spec of this.#members.others) {
      const isLink = this.#places.has(placeOf(spec.name, "membership", 0));
      for (const place of isLink ? this.#slotsWith(spec) : [placeOf(spec.name, "membership", 0)]) {
        if (this.#places.has(place)) {
          this.#missingSince.delete(place);
          continue;
        }
        const since = this.#missingSince.get(place) ?? clock.now();
        this.#missingSince.set(place, since);
        const isCaller = isLink
          ? entryOf(this.#places, placeOf(spec.name, "membership", 0)).dial === 0
          : this.spec.name < spec.name;
        if (!isCaller && clock.now() - since < COURTESY_MS) continue;
        const [, channel, index] = JSON.parse(place) as [string, string, number];
        void this.#dial(spec.name, spec.addresses, channel, index);
      }
    }
    if (clock.now() >= this.#heartbeatAt) {
      this.#heartbeatAt = clock.now() + heartbeatInterval;
      this.#counter++;
      for (const name of this.#watchers) this.#pick(name, "membership", 0)?.sendValue(0x11, this.#counter);
    }
    this.messages.tick();
    if (!this.#stopped) this.#timer = clock.schedule(TICK_MS, () => this.#tick());
  }

  // Membership: "On the wire" of docs/membership.md.

  #takeGossip(link: StandInLink, [kind, first, second]: [number, ...unknown[]]): void {
    const members = this.#members;
    if (kind === 0) return link.sendValue(0x10, [1, members.dots()]);
    if (kind === 1) {
      const { delta, wanted } = members.compare(first as unknown[][]);
      if (delta.length + wanted.length > 0) link.sendValue(0x10, [2, delta, wanted]);
      return;
    }
    members.merge((kind === 4 ? second : first) as unknown[][]);
    if (kind === 2 && (second as string[]).length > 0) link.sendValue(0x10, [2, members.values(), []]);
    if (kind !== 3) return;
    const joiner = firstOf(first as [string, number][]);
    link.sendValue(0x10, [4, joiner[1], members.values(), []]);
    for (const other of this.#linksOf("membership")) if (other !== link) other.sendValue(0x10, [2, first, []]);
  }

  // Failure detection: "On the wire" of docs/failure_detection.md.

  #takeHeartbeat(link: StandInLink, from: string, value: unknown): void {
    if (value === true) {
      this.#watchers.add(from);
      link.sendValue(0x11, this.#counter);
    } else if (value === false) this.#watchers.delete(from);
    else if (Array.isArray(value)) {
      const [word, node, incarnation, counter] = value;
      if (word === 1) link.sendValue(0x11, [2, node, incarnation, counter, 0, -1]);
      if (word !== 3 || node !== this.spec.name) return;
      this.#counter = Math.max(this.#counter, counter as number) + 1;
      for (const each of this.#linksOf("membership")) {
        each.sendValue(0x11, [4, node, this.spec.incarnation, this.#counter]);
      }
    }
  }

  // Which connection.

  #pick(to: string, channel: string, key: number): StandInLink | undefined {
    const { parallelism } = present(this.spec.channels[channel]);
    return this.#places.get(placeOf(to, channel, key % parallelism))?.link;
  }

  #linksOf(channel: string): StandInLink[] {
    const places = [...this.#places].filter(([place]) =>
      JSON.parse(place)[1] === channel && JSON.parse(place)[2] === 0
    );
    return places.map(([, { link }]) => link);
  }

  #slotsWith({ name }: StandInSpec): string[] {
    return Object.entries(this.spec.channels).flatMap(([channel, { parallelism }]) =>
      Array.from({ length: parallelism }, (_, index) => placeOf(name, channel, index))
    );
  }
}

interface Introduction {
  readonly spec: StandInSpec;
  readonly to: string | null;
  readonly channel: string;
  readonly index: number;
  readonly dial: number;
}

function placeOf(name: string, channel: string, index: number): string {
  return JSON.stringify([name, channel, index]);
}
