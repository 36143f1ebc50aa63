// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type EarlyWord, writeEarlyHead } from "../../connections/early/early_frames.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import type { NodeSpec } from "../../wire/node_spec.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { frame } from "../connections/fake_stream.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { mutateBytes, mutateValue } from "./mutate.ts";
import { OverlayWords } from "./overlay_words.ts";

/** A frame that a node makes up. */
export interface MadeUpFrame {
  readonly kind: number;
  readonly body: Uint8Array;
}

/** Numbers that a liar would try: ends of ranges, and what comes right behind a known one. */
function numberNear(random: SeededRandom, known: number): number {
  const near = [known, known + 1, known - 1, known + 1_000, known + 2 ** 15, known + 2 ** 20];
  return Math.max(
    0,
    Math.min(2 ** 53 - 1, random.pick([...near, 0, 1, 2, 7, 2 ** 31, 2 ** 32, 2 ** 48 - 1, 2 ** 53 - 1])),
  );
}

/** Things that one liar can name: the nodes that live, and others. */
class Vocabulary {
  readonly #random: SeededRandom;
  readonly #specs: readonly NodeSpec[];

  constructor(random: SeededRandom, specs: readonly NodeSpec[]) {
    this.#random = random;
    this.#specs = specs;
  }

  name(): string {
    const { name } = this.#random.pick(this.#specs);
    return this.#random.chance(0.8) ? name : `made up ${this.#random.int(10_000)}`;
  }

  /** A name and an incarnation of it. */
  incarnation(): [string, number] {
    const name = this.name();
    const known = this.#specs.find((spec) => spec.name === name)?.incarnation ?? 1;
    return [name, this.#random.chance(0.6) ? known : numberNear(this.#random, known)];
  }

  number(): number {
    return numberNear(this.#random, this.#random.int(100));
  }

  ranges(): number[] {
    const first = this.number() || 1;
    return [first, this.#random.chance(0.7) ? first + this.#random.int(3) : numberNear(this.#random, first)];
  }

  bytes(): Uint8Array {
    return encode(this.#random.pick(["forged", 1, null, [1, 2]]));
  }

  members(): unknown[] {
    return Array.from({ length: 1 + this.#random.int(3) }, () => {
      const [name, incarnation] = this.incarnation();
      if (this.#random.chance(0.3)) return [name, incarnation, this.number()];
      return [name, incarnation, this.number(), [name, 1], { default: 4, membership: 4 }, {}];
    });
  }

  stamp(): unknown {
    const participants = [this.incarnation(), this.incarnation()].map(([name, incarnation]) =>
      `${incarnation}:${name}`
    );
    const to = participants[0];
    return { to, sequence: this.number(), participants, sent: [0, 1, this.number()], delivered: [1, this.number()] };
  }

  marks(): unknown {
    const sequence = this.number();
    const floor = this.#random.chance(0.5) ? sequence : this.number();
    const causal = this.#random.chance(0.4) ? ["label", this.stamp(), this.#random.chance(0.2)] : null;
    const call = this.#random.chance(0.2) ? [this.number(), this.#random.chance(0.5)] : null;
    return causal === null && call === null ? [sequence, floor] : [sequence, floor, causal, call];
  }

  acknowledgement(): unknown[] {
    const lists = [this.ranges(), this.ranges(), this.ranges(), [[this.number(), ["Error", "no", "E"]]]];
    return [this.incarnation()[1], this.number(), this.ranges(), ...(this.#random.chance(0.5) ? lists : [])];
  }

  relay(): unknown[] {
    const [origin, incarnation] = this.incarnation();
    const header = {
      origin,
      incarnation,
      sequence: this.number(),
      destination: this.name(),
      ttl: this.#random.pick([0, 1, 5, 32, 255]),
      tree: this.#random.chance(0.5) ? this.name() : null,
      path: this.#random.chance(0.5) ? [] : [this.name()],
      single: this.#random.chance(0.1),
    };
    const message = [
      "message",
      "log",
      this.#random.chance(0.5),
      "default",
      this.#random.chance(0.2) ? null : this.marks(),
    ];
    const body = this.#random.pick<unknown[]>([
      [...message, this.bytes(), this.number()],
      ["receipt", this.acknowledgement(), this.number()],
      ["cancel", this.number()],
    ]);
    return [header, encode(body)];
  }

  broadcast(): unknown[] {
    const kind = this.#random.int(8);
    const [root, incarnation] = this.incarnation();
    if (kind === 0 || kind === 7) {
      return [kind, root, incarnation, this.number(), this.number(), ["log", this.bytes(), this.#random.chance(0.5)]];
    }
    return kind === 3 ? [kind, root] : [kind, root, incarnation, this.ranges()];
  }

  attributes(): unknown[] {
    const [owner, incarnation] = this.incarnation();
    const [version, from] = [this.number(), this.#random.chance(0.7) ? 0 : this.number()];
    const delta = [owner, incarnation, version, from, ["role", version, this.bytes()], null];
    return this.#random.pick<unknown[]>([
      [0, this.number(), this.number()],
      [1, [owner, incarnation, version]],
      [2, [delta], [owner, incarnation, 0]],
    ]);
  }

  gossip(): unknown[] {
    const [name, incarnation] = this.incarnation();
    return this.#random.pick<unknown[]>([
      [0, this.number(), this.number()],
      [1, [[name, incarnation, this.number()]]],
      [2, this.members(), [this.name()]],
      [3, this.members()],
      [4, incarnation, this.members(), [this.name()]],
    ]);
  }

  heartbeat(): unknown {
    const [name, incarnation] = this.incarnation();
    const word = 1 + this.#random.int(4);
    const rest = word === 1 ? [this.#random.int(2)] : word === 2 ? [this.number(), -1] : [];
    return this.#random.chance(0.2) ? this.number() : [word, name, incarnation, this.number(), ...rest];
  }
}

/** Values in frames, for each kind that has one. */
const VALUES: Readonly<Record<number, (words: Vocabulary) => unknown>> = {
  [FrameKind.strategy]: (words) => words.gossip(),
  [FrameKind.heartbeat]: (words) => words.heartbeat(),
  [FrameKind.ping]: (words) => words.number(),
  [FrameKind.pong]: (words) => words.number(),
  [FrameKind.partition]: (words) => ["mark", "reference", words.number()],
  [FrameKind.broadcast]: (words) => words.broadcast(),
  [FrameKind.interest]: (words) => words.number() % 2 === 0,
  [FrameKind.attributes]: (words) => words.attributes(),
  [FrameKind.cancel]: (words) => words.number(),
  [FrameKind.ack]: (words) => words.acknowledgement(),
  [FrameKind.relay]: (words) => words.relay(),
};

/** All kinds of frames that follow a handshake, and one that there is not. */
const KINDS = [...new Set<number>([...Object.values(FrameKind), 0x7e])].filter((kind) => kind >= FrameKind.strategy);

/** Those of them that nodes say values with, and the one that carries others. */
const SAID = [...KINDS.filter((kind) => VALUES[kind] !== undefined), FrameKind.early];

/** Makes up a frame about these nodes. */
export function makeUpFrame(random: SeededRandom, specs: readonly NodeSpec[], strategy = ""): MadeUpFrame {
  const kind = random.chance(0.9) ? random.pick(SAID) : random.pick(KINDS);
  const say = VALUES[kind];
  if (kind === FrameKind.early) return { kind, body: makeUpEarly(random, specs) };
  if (say === undefined) {
    const short = Uint8Array.from({ length: random.int(40) }, () => random.int(256));
    return { kind, body: random.chance(0.5) ? short : mutateBytes(random, encode([1, "log", 2 ** 32])) };
  }
  const ofOverlay = kind === FrameKind.strategy ? new OverlayWords(random, specs).of(strategy) : undefined;
  const value = ofOverlay ?? say(new Vocabulary(random, specs));
  const body = encode(random.chance(0.05) ? mutateValue(random, value) : value);
  return { kind, body: random.chance(0.02) ? mutateBytes(random, body) : body };
}

/** Makes up what a membership connection carries of a connection without a socket. */
function makeUpEarly(random: SeededRandom, specs: readonly NodeSpec[]): Uint8Array {
  const writer = new ByteWriter();
  // One of the words, or one that there is not.
  const word = random.int(6) as EarlyWord;
  const ends = [0, 1, 2, 3, 2 ** 32 - 1];
  const channel = random.pick(["default", "default", "membership", "nowhere"]);
  writeEarlyHead(writer, word, { channel, index: random.int(2), from: random.pick(ends), to: random.pick(ends) });
  writer.u32(random.pick([0, 0, 1, 100, 30_000, 2 ** 32 - 1]));
  if (word === 0) {
    const { kind, body } = makeUpFrame(random, specs);
    writer.raw(frame(kind, body));
  } else {
    writer.raw(Uint8Array.from({ length: random.pick([0, 9]) }, () => random.int(3)));
  }
  const bytes = writer.written().slice();
  return random.chance(0.05) ? mutateBytes(random, bytes) : bytes;
}
