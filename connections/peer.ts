// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hashString } from "../wire/hash.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import type { Connection } from "./connection.ts";
import { NO_FEATURES } from "./handshake/introduction.ts";
import { type PeerEvent, type PeerState, transition } from "./peer_state.ts";
import { agreedSlots } from "./slots.ts";
import type { ReadingRoom } from "./reading_room.ts";

/** The channel that control traffic has to itself. */
export const MEMBERSHIP_CHANNEL = "membership";

/** The channel of messages that name no other. */
export const DEFAULT_CHANNEL = "default";

/** A key for one of a peer's connections. */
export function slotKey(channel: string, index: number): string {
  return `${channel} ${index}`;
}

/** Dial numbers by channel and index: most peers need none. */
type DialNumbers = ReadonlyMap<string, number>;

/** One slot for a connection. */
export interface Slot {
  readonly channel: string;
  readonly index: number;
}

type Line = (Connection<Peer> | null)[];

const NO_DIALS: DialNumbers = new Map();
const NO_SLOTS: readonly Slot[] = [];
const NO_LINE: readonly (Connection<Peer> | null)[] = [];

/** Another node, and the connections with it. One connection per channel and index is shared by both sides. */
export class Peer {
  /** Newest known specification of the node. */
  spec: NodeSpec;
  /** Whether the strategy wants connections with it. */
  wanted = false;
  /** Whether the strategy over there wants connections with this node: when a membership connection opens it does, until it says otherwise. */
  wantedThere = true;
  /** Whether it has said so since the membership connection opened. */
  toldInterest = false;
  /** Whether its membership connection stands in for the connections of channels that were not used yet. */
  lending = false;
  /** Called when a channel is to be used for the first time: begins its connections. */
  wake: ((peer: Peer, channel: string) => void) | undefined;
  /** Whether the failure detector holds it for dead although connections look open; they carry no user data then. */
  silent = false;
  /** Whether an injected partition lies in between: nothing passes but the word that it is over. */
  partitioned = false;
  /** Whether its connections, though they look open, are to be replaced by new ones. */
  doubtful = false;
  /** Milliseconds for which its connections have been in doubt. */
  doubtAge = 0;
  /** Time at which the doubt began, on the local clock. */
  doubtSince = 0;
  /** Whether the connections have been in doubt for long, and could not be replaced: it is out of reach, for this node. */
  severed = false;
  /** Whether this node was ever connected with it. */
  met = false;
  /** Channels that were complete and have not lost all their connections since. */
  readonly channelsUp: Set<string> = new Set();
  /** The version of the protocol that both sides speak, once a connection was open. */
  version = 0;
  /** Features of both sides beyond it. */
  features: ReadonlySet<string> = NO_FEATURES;
  /** Frames that came in from it. */
  framesIn = 0;
  /** Time at which a frame of it last came, in milliseconds on the local clock. */
  heardAt = 0;
  /** Time until which its failure detector is to speak over the membership connection, on the local clock; `Infinity` where it need not. */
  heartbeatDue = Infinity;
  /** Failure of the last dial, as long as none has succeeded since. */
  failure: { readonly error: unknown; readonly at: number } | null = null;
  /** Last measured round trip in milliseconds, once there is one. */
  roundTrip: number | undefined;
  /** Bounds what is held of its half-read frames, if anything does. */
  readonly readingRoom: ReadingRoom | undefined;
  #state: PeerState = "away";
  /** Names of the channels, and in the same order the connections of each: a few, so that lists are smaller than a map, and faster. */
  #channels: readonly string[] = [];
  #lines: readonly Line[] = [];
  /** The channel that was asked for last, which is asked for next, too, on the way of messages. */
  #recent = "";
  #recentLine: Line | undefined;
  /** The one of the membership channel. */
  #control: readonly (Connection<Peer> | null)[] = NO_LINE;
  /** Channels that were used since the node began to live, by either side: their connections are to be open from then on. */
  #awake: Set<string> | undefined;
  #seenDials: Map<string, number> | undefined;
  #lostDials: Map<string, number> | undefined;
  /** Every open connection, once that was asked for. */
  #open: readonly Connection<Peer>[] | undefined;
  #isParty = false;
  #introduction: PromiseWithResolvers<void> | null = null;
  #rotation = 0;
  #framesBefore = 0;

  constructor(spec: NodeSpec, self: NodeSpec, readingRoom?: ReadingRoom) {
    this.spec = spec;
    this.readingRoom = readingRoom;
    this.fitTo(spec, self);
  }

  /** Most recent dial numbers of the peer's that succeeded, by channel and index. */
  get seenDials(): DialNumbers {
    return this.#seenDials ?? NO_DIALS;
  }

  /** Most recent dial numbers of this node's that the peer had seen succeed when it dialed anew, by channel and index: it has lost those. */
  get lostDials(): DialNumbers {
    return this.#lostDials ?? NO_DIALS;
  }

  /** Whether it has been heard of since its membership connection opened: what the strategy was told last. */
  get linked(): boolean {
    return this.#state !== "away";
  }

  /** Whether messages can reach it: what the users were told last. */
  get up(): boolean {
    return this.#state === "up";
  }

  /**
   * Takes note of what is about to be told of it.
   *
   * @throws {TypeError} When that cannot happen now.
   */
  change(event: PeerEvent): void {
    this.#state = transition(this.#state, event);
  }

  /** The node's name. */
  get name(): string {
    return this.spec.name;
  }

  /** Incarnation of that name. */
  get incarnation(): number {
    return this.spec.incarnation;
  }

  /** Whether it is a member of the cluster, or was one in this incarnation: strangers may join, and nothing else. */
  get isParty(): boolean {
    return this.#isParty;
  }

  /** It is a member. */
  introduce(): void {
    this.#isParty = true;
    this.callWaiting();
  }

  /** Waits until it is a member, or has lost a connection: the waiting code has to look which. */
  introduction(): Promise<void> {
    return (this.#introduction ??= Promise.withResolvers()).promise;
  }

  /** Has those look that wait for its introduction. */
  callWaiting(): void {
    this.#introduction?.resolve();
    this.#introduction = null;
  }

  /** Whether control traffic can be sent to it, silent or not. */
  get connected(): boolean {
    return this.membership !== null;
  }

  /**
   * Takes over a newer specification. Each channel that either side has gets as many connections as both agree on.
   *
   * @returns Connections for which there is no slot any more.
   */
  fitTo(spec: NodeSpec, self: NodeSpec): Connection<Peer>[] {
    const surplus: Connection<Peer>[] = [];
    const restarted = spec.incarnation !== this.spec.incarnation;
    this.spec = spec;
    const before = this.connections();
    const slots = agreedSlots(self, spec);
    this.#open = undefined;
    this.#channels = [...slots.keys()];
    this.#lines = Array.from(slots.values(), (count) => new Array(count).fill(null));
    this.#recent = "";
    this.#recentLine = undefined;
    this.#control = this.#line(MEMBERSHIP_CHANNEL) ?? NO_LINE;
    for (const connection of before) {
      if (restarted || !this.hasSlot(connection.channel, connection.index)) surplus.push(connection);
      else this.#line(connection.channel)![connection.index] = connection;
    }
    if (restarted) this.#isParty = false;
    if (restarted) this.#awake = this.#seenDials = this.#lostDials = undefined;
    return surplus;
  }

  /** Whether `index` is one of the channel's connections. */
  hasSlot(channel: string, index: number): boolean {
    return index < (this.#line(channel)?.length ?? 0);
  }

  /** The connections of a channel, if either side has it. */
  #line(channel: string): Line | undefined {
    if (channel === this.#recent) return this.#recentLine;
    const at = this.#channels.indexOf(channel);
    this.#recent = channel;
    return this.#recentLine = at < 0 ? undefined : this.#lines[at];
  }

  /** The connection in a slot, if it is open. */
  at(channel: string, index: number): Connection<Peer> | null {
    return this.#line(channel)?.[index] ?? null;
  }

  /** Puts a connection into its slot. @returns The one that it replaces. */
  fill(connection: Connection<Peer>): Connection<Peer> | null {
    const line = this.#line(connection.channel)!;
    const replaced = line[connection.index]!;
    line[connection.index] = connection;
    this.#open = undefined;
    this.met = true;
    if (connection.channel === MEMBERSHIP_CHANNEL) this.failure = null;
    else this.awaken(connection.channel);
    this.version = connection.version;
    this.features = connection.features;
    if (connection.early === null) this.noteDial(connection);
    return replaced;
  }

  /** Takes note of the dial that made a connection. */
  noteDial({ outbound, channel, index, dial }: Connection<Peer>): void {
    if (!outbound) (this.#seenDials ??= new Map()).set(slotKey(channel, index), dial);
  }

  /** Takes note of the dial of this node's that the peer had seen succeed in a slot when it dialed anew. */
  noteLost({ channel, index }: Slot, seen: number): void {
    // Dials are numbered from 1: the peer has seen none.
    if (seen > 0 || this.#lostDials !== undefined) (this.#lostDials ??= new Map()).set(slotKey(channel, index), seen);
  }

  /** Takes a connection out of its slot. @returns Whether it was there. */
  remove(connection: Connection<Peer>): boolean {
    const line = this.#line(connection.channel);
    if (line?.[connection.index] !== connection) return false;
    line[connection.index] = null;
    this.#open = undefined;
    this.callWaiting();
    return true;
  }

  /** The connection that carries control traffic. */
  get membership(): Connection<Peer> | null {
    return this.#control[0] ?? null;
  }

  /** Whether either side has a channel. */
  hasChannel(channel: string): boolean {
    return this.#channels.includes(channel);
  }

  /**
   * The connection for a message: of the named channel, else, with `fallback`, of the default one. A partition key picks the same one each time,
   * and the next one while that is not open; without a key they take turns.
   */
  pick(channel: string, partitionKey: string | number | undefined, fallback = true): Connection<Peer> | null {
    if (this.unreachable) return null;
    const connection = this.#pickFrom(channel, partitionKey) ?? this.#pickAsleep(channel, partitionKey);
    if (connection !== null || !fallback) return connection;
    return this.#pickFrom(DEFAULT_CHANNEL, partitionKey) ?? this.#pickAsleep(DEFAULT_CHANNEL, partitionKey);
  }

  /** The connection of a channel that has no other, where messages can be put into it; else `null`. */
  only(channel: string): Connection<Peer> | null {
    if (this.partitioned || this.unreachable) return null;
    const line = this.#line(channel);
    if (line === undefined || line.length !== 1) return null;
    const connection = line[0]!;
    return isUsable(connection) && !connection.draining ? connection : null;
  }

  /** The connection of a partition key where messages can be put into it, or the only one of the channel; else `null`. */
  keyed(channel: string, partitionKey: string | number): Connection<Peer> | null {
    const line = this.#line(channel);
    if (line === undefined || line.length < 2) return this.only(channel);
    if (this.partitioned || this.unreachable) return null;
    const connection = line[firstSlot(partitionKey) % line.length]!;
    return isUsable(connection) && !connection.draining ? connection : null;
  }

  /** Number of connections that a channel should have; a partition key below that picks each of them in turn. */
  slotsOn(channel: string): number {
    return this.#line(channel)?.length ?? 0;
  }

  /** Number of connections of a channel that are open, and not mute. */
  openOn(channel: string): number {
    const line = this.#line(channel) ?? NO_LINE;
    let count = 0;
    for (let at = 0; at < line.length; at++) if (isUsable(line[at]!)) count++;
    return count;
  }

  /** Whether messages can be sent on a channel: it has connections that are not mute, or they begin when it is first used. */
  carries(channel: string): boolean {
    return this.openOn(channel) > 0 || this.isAsleep(channel);
  }

  /** A channel is used, by either side. */
  awaken(channel: string): void {
    (this.#awake ??= new Set()).add(channel);
  }

  /** Whether a channel was not used yet, and can be: then its connections need not be open. */
  isAsleep(channel: string): boolean {
    return this.lending && isUsable(this.membership) && this.hasChannel(channel) && this.#wakesLater(channel);
  }

  /** Whether a channel has all the connections that it needs, and none of them is mute. */
  isComplete(channel: string): boolean {
    const line = this.#line(channel);
    return line !== undefined && (line.every(isUsable) || this.isAsleep(channel));
  }

  /** Notes whether the membership connection stands in for others: it does from when either side wants connections, for as long as it is open. */
  lend(): void {
    if (this.membership === null || !this.features.has("early")) this.lending = false;
    else if (this.wanted || (this.toldInterest && this.wantedThere)) this.lending = true;
  }

  /** Whether a channel has connections, and all of them are mute. */
  isMute(channel: string): boolean {
    const line = this.#line(channel) ?? NO_LINE;
    let isMute = false;
    for (let at = 0; at < line.length; at++) {
      if (line[at]?.mute === false) return false;
      isMute ||= line[at] !== null;
    }
    return isMute;
  }

  /** Whether what could carry messages to it is to be replaced. */
  get inDoubt(): boolean {
    return this.doubtful || this.isMute(DEFAULT_CHANNEL);
  }

  /** Whether it is held for dead, or its connections for useless: they carry no user data then. */
  get unreachable(): boolean {
    return this.silent || this.severed;
  }

  /** Whether every channel has all its connections. */
  get fullyConnected(): boolean {
    return this.#channels.every((channel) => this.isComplete(channel)) && !this.unreachable;
  }

  /** Names of the channels that either side has. */
  get channels(): readonly string[] {
    return this.#channels;
  }

  /** Whether nothing can be sent to it now, and the last try to change that failed or must not be made. */
  get outOfReach(): boolean {
    return this.unreachable || this.partitioned || (this.membership === null && this.failure !== null);
  }

  /** Every open connection, as it is now. It is asked for far more often than it changes. */
  connections(): readonly Connection<Peer>[] {
    return this.#open ??= this.#openInLines();
  }

  #openInLines(): readonly Connection<Peer>[] {
    const open: Connection<Peer>[] = [];
    for (const line of this.#lines) for (const connection of line) if (connection !== null) open.push(connection);
    return open;
  }

  /** Whether any connection is open. */
  get hasConnections(): boolean {
    return this.connections().length > 0;
  }

  /** Slots that need a socket. */
  gaps(): readonly Slot[] {
    let gaps: Slot[] | undefined;
    for (let at = 0; at < this.#channels.length; at++) {
      const channel = this.#channels[at]!;
      if (this.#wakesLater(channel)) continue;
      const line = this.#lines[at]!;
      for (let index = 0; index < line.length; index++) {
        const connection = line[index]!;
        if (connection === null || connection.early !== null) (gaps ??= []).push({ channel, index });
      }
    }
    return gaps ?? NO_SLOTS;
  }

  /** Slots whose sockets are in doubt. */
  doubts(): readonly Slot[] {
    const isInDoubt = ({ inDoubt, early }: Connection<Peer>) => inDoubt && early === null;
    return this.connections().some(isInDoubt) ? this.connections().filter(isInDoubt) : NO_SLOTS;
  }

  /** Whether any frame came in since {@linkcode listen} was called last. */
  get hasNews(): boolean {
    return this.framesIn !== this.#framesBefore;
  }

  /** Notes whether any frame came in since the last call. @returns Whether one did. */
  listen(now: number): boolean {
    if (!this.hasNews) return false;
    this.#framesBefore = this.framesIn;
    this.heardAt = now;
    return true;
  }

  /** Whether a channel's connections are opened when it is first used, which it was not. */
  #wakesLater(channel: string): boolean {
    return channel !== MEMBERSHIP_CHANNEL && this.features.has("early") && this.#awake?.has(channel) !== true;
  }

  #pickAsleep(channel: string, partitionKey: string | number | undefined): Connection<Peer> | null {
    if (this.wake === undefined || !this.isAsleep(channel)) return null;
    this.wake(this, channel);
    return this.#pickFrom(channel, partitionKey);
  }

  #pickFrom(channel: string, partitionKey: string | number | undefined): Connection<Peer> | null {
    const line = this.#line(channel);
    if (line === undefined) return null;
    if (line.length === 1) return isUsable(line[0]!) ? line[0] : null;
    const first = partitionKey === undefined ? this.#rotation++ : firstSlot(partitionKey);
    for (let i = 0; i < line.length; i++) {
      const connection = line[(first + i) % line.length]!;
      if (isUsable(connection)) return connection;
      // What waits in a mute one may still arrive: what has an order must not overtake it over another one.
      if (connection !== null && partitionKey !== undefined) return null;
    }
    return null;
  }
}

/** Number that picks the connection of a partition key, modulo how many there are. */
function firstSlot(key: string | number): number {
  return typeof key === "number" && Number.isSafeInteger(key) && key >= 0 ? key : hashString(`${key}`);
}

/** Whether messages can be put into a slot's connection. */
function isUsable(connection: Connection<Peer> | null): connection is Connection<Peer> {
  return connection !== null && !connection.mute;
}
