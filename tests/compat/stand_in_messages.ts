// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Clock } from "../../runtime/runtime.ts";
import { pack, unpack } from "./message_pack.ts";
import type { StandInLink } from "./stand_in_link.ts";
import type { StandInSpec } from "./stand_in_members.ts";
import { entryOf, present } from "../values.ts";

const REPEAT_MS = 1_000;

/** A message that was delivered. */
export interface Received {
  readonly from: string;
  readonly name: string;
  readonly value: unknown;
}

interface Unacknowledged {
  readonly to: string;
  readonly sequence: number;
  readonly send: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  sentAt: number;
}

/** Options of a message that is sent. */
export interface StandInSendOptions {
  readonly channel?: string;
  readonly partitionKey?: number;
}

/** Messages of one node: "Messages" of `docs/protocol.md`, and `docs/guarantees.md`. */
export class StandInMessages {
  /** Messages that were delivered, in order. */
  readonly received: Received[] = [];
  /** Answers calls, and handles messages. What has no handler is kept in `received` alone, if its name is here. */
  readonly handlers = new Map<string, (value: unknown) => unknown>();
  readonly #self: StandInSpec;
  readonly #clock: Pick<Clock, "now">;
  readonly #pick: (to: string, channel: string, key: number) => StandInLink | undefined;
  readonly #sequences = new Map<string, number>();
  readonly #unacknowledged = new Map<string, Unacknowledged>();
  readonly #calls = new Map<number, (reply: { ok: boolean; value: unknown }) => void>();
  /** By sender and incarnation: the first number that it still waited for, and the numbers that were handled. */
  readonly #seen = new Map<string, { readonly first: number; readonly numbers: Set<number> }>();
  /** Grafts that have come, as they were on the wire. */
  readonly grafts: unknown[] = [];
  readonly #broadcasts = new Set<string>();
  #lastCall = 0;
  #lastBroadcast = 0;

  constructor(
    self: StandInSpec,
    clock: Pick<Clock, "now">,
    pick: (to: string, channel: string, key: number) => StandInLink | undefined,
  ) {
    this.#self = self;
    this.#clock = clock;
    this.#pick = pick;
  }

  /** Sends a message that no node acknowledges. @returns Whether there was a connection. */
  send(
    to: string,
    name: string,
    value: unknown,
    { channel = "default", partitionKey = 0 }: StandInSendOptions = {},
  ): boolean {
    const link = this.#pick(to, channel, partitionKey);
    if (link === undefined) return false;
    const number = link.numberOf(name);
    link.send(0x21, joined([number >> 8, number & 0xff], pack(value)));
    return true;
  }

  /** Sends a message, and again until it is acknowledged. */
  acknowledged(to: string, name: string, value: unknown, options: StandInSendOptions = {}): Promise<void> {
    return this.#envelope(to, name, value, null, options);
  }

  /** Calls a handler of another node. */
  async call(to: string, name: string, value: unknown): Promise<{ ok: boolean; value: unknown }> {
    const id = ++this.#lastCall;
    const reply = new Promise<{ ok: boolean; value: unknown }>((resolve) => this.#calls.set(id, resolve));
    await this.#envelope(to, name, value, [null, [id]], {});
    return await reply;
  }

  #envelope(to: string, name: string, value: unknown, marks: unknown, options: StandInSendOptions): Promise<void> {
    const sequence = (this.#sequences.get(to) ?? 0) + 1;
    this.#sequences.set(to, sequence);
    const { channel = "default", partitionKey = 0 } = options;
    return new Promise((resolve, reject) => {
      const send = () => {
        const link = this.#pick(to, channel, partitionKey);
        if (link === undefined) return;
        const waiting = [...this.#unacknowledged.values()].filter((each) => each.to === to);
        const behind = sequence - Math.min(...waiting.map((each) => each.sequence));
        const head = new DataView(new ArrayBuffer(10));
        head.setUint16(0, link.numberOf(name));
        head.setUint16(2, marks === null ? behind : behind | 0x8000);
        head.setUint16(4, Math.floor(sequence / 2 ** 32));
        head.setUint32(6, sequence % 2 ** 32);
        link.send(0x22, joined(head, marks === null ? [] : prefixed(pack(marks)), pack(value)));
      };
      const entry = { to, sequence, send, resolve, reject, sentAt: this.#clock.now() };
      this.#unacknowledged.set(`${sequence} ${to}`, entry);
      send();
    });
  }

  /** A connection with a node is open again. */
  opened(name: string): void {
    for (const entry of this.#unacknowledged.values()) if (entry.to === name) this.#repeat(entry);
  }

  /** Sends again what was not acknowledged for long. */
  tick(): void {
    for (const entry of this.#unacknowledged.values()) {
      if (this.#clock.now() - entry.sentAt >= REPEAT_MS) this.#repeat(entry);
    }
  }

  #repeat(entry: Unacknowledged): void {
    entry.sentAt = this.#clock.now();
    entry.send();
  }

  /** Takes a `message`, an `envelope` or an `ack`. */
  take(link: StandInLink, from: StandInSpec, kind: number, body: Uint8Array): void {
    if (kind === 0x23) return this.#takeAcknowledgement(from.name, unpack(body) as unknown[]);
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    const number = view.getUint16(0) & 0x7fff;
    let at = 2;
    const inline = () => {
      const length = view.getUint32(at);
      at += 4 + length;
      return unpack(body.subarray(at - length, at));
    };
    const name = number === 0 ? inline() as string : present(link.namesIn[number - 1]);
    if (kind === 0x21) return this.#deliver(from.name, name, unpack(body.subarray(at)));
    const hasMarks = (view.getUint16(at) & 0x8000) !== 0;
    const sequence = view.getUint16(at + 2) * 2 ** 32 + view.getUint32(at + 4);
    const floor = sequence - (view.getUint16(at) & 0x7fff);
    at += 8;
    const marks = hasMarks ? inline() : [];
    const [, call] = marks as [unknown, [number, boolean?] | null];
    const incarnation = `${from.incarnation} ${from.name}`;
    const { first, numbers: seen } = this.#seen.get(incarnation) ?? { first: floor, numbers: new Set<number>() };
    this.#seen.set(incarnation, { first, numbers: seen });
    const isKnown = name === "" || this.handlers.has(name);
    if (isKnown && !seen.has(sequence)) {
      seen.add(sequence);
      const value = unpack(body.subarray(at));
      if (!call) this.#deliver(from.name, name, value);
      else if (call.length === 2) this.#calls.get(call[0])?.({ ok: call[1] === true, value });
      else void this.#envelope(from.name, "", entryOf(this.handlers, name)(value), [null, [call[0], true]], {});
    }
    let through = first - 1;
    while (seen.has(through + 1)) through++;
    const ranges = [...seen].filter((each) => each > through).flatMap((each) => [each, each]);
    const missing = isKnown ? [] : [sequence, sequence];
    link.sendValue(0x23, [from.incarnation, through, sorted(ranges), [], [], missing, []]);
  }

  #takeAcknowledgement(from: string, [incarnation, through, ranges, , , , failed = []]: unknown[]): void {
    if (incarnation !== this.#self.incarnation) return;
    const pairs = ranges as number[];
    for (const [key, { to, sequence, resolve, reject }] of this.#unacknowledged) {
      if (to !== from) continue;
      const isHandled = sequence <= (through as number) ||
        pairs.some((first, index) => index % 2 === 0 && first <= sequence && sequence <= present(pairs[index + 1]));
      const failure = (failed as unknown[][]).find(([number]) => number === sequence);
      if (!isHandled && failure === undefined) continue;
      this.#unacknowledged.delete(key);
      if (failure === undefined) resolve();
      else reject(new Error(JSON.stringify(failure[1])));
    }
  }

  #deliver(from: string, name: string, value: unknown): void {
    const handler = this.handlers.get(name);
    if (handler === undefined) return;
    this.received.push({ from, name, value });
    handler(value);
  }

  // Broadcasts: every node is every other one's eager neighbour here, unless it asks not to be.

  broadcast(links: readonly StandInLink[], name: string, value: unknown): void {
    const { name: root, incarnation } = this.#self;
    const frame = [0, root, incarnation, ++this.#lastBroadcast, 0, [name, pack(value)]];
    this.#broadcasts.add(`${this.#lastBroadcast} ${incarnation} ${root}`);
    for (const link of links) link.sendValue(0x15, frame);
  }

  takeBroadcast(link: StandInLink, links: readonly StandInLink[], frame: readonly unknown[]): void {
    const [kind, root, incarnation, sequence, , payload] = frame;
    if (kind === 2) this.grafts.push(frame);
    if (kind !== 0 && kind !== 7) return;
    const id = `${sequence} ${incarnation} ${root}`;
    if (this.#broadcasts.has(id)) return link.sendValue(0x15, [3, root]);
    this.#broadcasts.add(id);
    const [name, bytes] = payload as [string, Uint8Array];
    this.#deliver(root as string, name, unpack(bytes));
    for (const other of links) if (other !== link) other.sendValue(0x15, frame);
  }
}

function sorted(pairs: readonly number[]): number[] {
  return [...pairs].sort((a, b) => a - b);
}

function prefixed(bytes: Uint8Array): Uint8Array {
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, bytes.length);
  return joined(length, bytes);
}

function joined(...parts: readonly (ArrayLike<number> | DataView)[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    parts.flatMap((part) => [...(part instanceof DataView ? new Uint8Array(part.buffer) : Array.from(part))]),
  );
}
