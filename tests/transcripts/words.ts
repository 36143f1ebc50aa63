// Copyright 2026 the Partisan peer-service authors. MIT license.

import { EarlyWord, readEarly } from "../../connections/early/early_frames.ts";
import { decodeHello } from "../../connections/handshake/hello.ts";
import type { BroadcastRanges } from "../../gossip/broadcast_id.ts";
import { broadcastFromValue } from "../../gossip/broadcast_message.ts";
import { gossipFromValue } from "../../gossip/gossip_message.ts";
import { checkHeartbeatMessage, HeartbeatWord } from "../../gossip/heartbeat_message.ts";
import type { MembershipSet } from "../../membership/membership_set.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { readU32 } from "../../wire/integers.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { checkNodeSpec } from "../../wire/node_spec_check.ts";
import { nthOf } from "../values.ts";

const KIND_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(FrameKind).map(([name, kind]) => [kind, name]),
);

/** Names of a kind of frame, as a transcript shows and hides them. */
export function nameOfKind(kind: number): string {
  return KIND_NAMES.get(kind) ?? "unknown";
}

/** Says in words what is in a frame. Whatever differs between two releases without meaning anything to a reader is left out: sizes, hashes, counters. */
export class Words {
  /** Incarnations of each name, in the order in which they were seen: the number itself is a wall time. */
  readonly #incarnations = new Map<string, number[]>();

  /** Tells what a frame says, with its kind in front. */
  of(kind: number, body: Uint8Array): string {
    const name = nameOfKind(kind);
    const said = this.#said(kind, body);
    return said === "" ? name : `${name} ${said}`;
  }

  /** One incarnation of a node: `a@1` is the first that the transcript tells of. */
  incarnation(name: string, incarnation: number): string {
    const incarnations = this.#incarnations.get(name) ?? [];
    this.#incarnations.set(name, incarnations);
    if (!incarnations.includes(incarnation)) incarnations.push(incarnation);
    return `${name}@${incarnations.indexOf(incarnation) + 1}`;
  }

  #said(kind: number, body: Uint8Array): string {
    switch (kind) {
      case FrameKind.hello:
        return `cluster "${decodeHello(body).cluster}"`;
      case FrameKind.introduction:
        return this.#introduction(decode(body) as Record<string, unknown>);
      case FrameKind.ready: {
        const { spec, wanted } = decode(body) as Record<string, unknown>;
        return this.#spec(spec) + interestOf(wanted);
      }
      case FrameKind.refused: {
        const { code, reason } = decode(body) as Record<string, unknown>;
        return `${code}: ${reason}`;
      }
      case FrameKind.strategy:
        return this.#gossip(decode(body));
      case FrameKind.heartbeat:
        return this.#heartbeat(decode(body));
      case FrameKind.broadcast:
        return this.#broadcast(decode(body));
      case FrameKind.early:
        return this.#early(body);
      case FrameKind.interest:
      case FrameKind.renew:
        return String(decode(body));
      default:
        return "";
    }
  }

  #introduction({ spec, to, channel, index, lost, early, wanted }: Record<string, unknown>): string {
    const whom = to === null ? "to any node" : `to ${to}`;
    const more = lost ? ", the one before is lost" : early !== undefined ? ", which has begun" : interestOf(wanted);
    return `${this.#spec(spec)} ${whom}, connection ${channel}/${index}${more}`;
  }

  /** Of bytes that begin with a frame, all the frames in them. */
  #early(bytes: Uint8Array): string {
    const { word, channel, index, body } = readEarly(bytes, 0, bytes.length);
    const [name] = Object.entries(EarlyWord).find(([, number]) => number === word) ?? ["unknown"];
    if (word !== EarlyWord.bytes) return `${channel}/${index}: ${name}`;
    const frames: string[] = [];
    for (let at = 4; at < body.length;) {
      const end = at + 4 + readU32(body, at);
      frames.push(this.of(nthOf(body, at + 4), body.subarray(at + 5, end)));
      at = end;
    }
    return `${channel}/${index}: ${frames.join(", ")}`;
  }

  #spec(value: unknown): string {
    const { name, incarnation } = checkNodeSpec(value);
    return this.incarnation(name, incarnation);
  }

  #gossip(value: unknown): string {
    const message = gossipFromValue(value);
    switch (message.kind) {
      case "digest":
        return "digest";
      case "summary":
        return `summary [${
          message.dots.map(({ actor, incarnation }) => this.incarnation(actor, incarnation)).join(" ")
        }]`;
      case "join":
        return `join ${this.#members(message.members)}`;
      case "delta": {
        const wanted = message.wanted.length === 0 ? "" : `, wanted [${message.wanted.join(" ")}]`;
        return `delta ${this.#members(message.delta)}${wanted}`;
      }
      case "welcome": {
        const companions = message.companions.length === 0 ? "" : `, companions [${message.companions.join(" ")}]`;
        return `welcome ${this.#members(message.delta)}${companions}`;
      }
    }
  }

  /** The names of which a delta tells: `-` stands in front of those that are members no more. */
  #members(set: MembershipSet): string {
    const incarnations = set.names.map((name) => {
      const incarnation = this.incarnation(name, set.newest(name)?.incarnation ?? 0);
      return set.has(name) ? incarnation : `-${incarnation}`;
    });
    return `[${incarnations.join(" ")}]`;
  }

  #heartbeat(value: unknown): string {
    const message = checkHeartbeatMessage(value);
    if (typeof message === "number") return "counter";
    if (typeof message === "boolean") return message ? "watch me" : "do not watch me";
    const incarnation = this.incarnation(message[1], message[2]);
    switch (message[0]) {
      case HeartbeatWord.probeRequest:
        return `probe request: do you hear of ${incarnation}?${message[4] > 0 ? " If not, ask others" : ""}`;
      case HeartbeatWord.probeReport:
        return `probe report on ${incarnation}: ${
          message[5] < 0 ? "I cannot tell" : message[5] === 0 ? "I hear it" : "silent"
        }`;
      case HeartbeatWord.dead:
        return `dead message: ${incarnation} is down`;
      case HeartbeatWord.alive:
        return `alive: ${incarnation}`;
    }
  }

  #broadcast(value: unknown): string {
    const message = broadcastFromValue(value);
    switch (message.kind) {
      case "gossip":
      case "repair":
        return `${message.kind} ${this.incarnation(message.id.root, message.id.incarnation)}:${message.id.sequence}`;
      case "prune":
        return `prune ${message.roots.join(", ")}`;
      case "summary":
        return `${message.isAnswer ? "answer" : "summary"} [${this.#ranges(message.ids)}]`;
      default:
        return `${message.kind} [${this.#ranges(message.ids)}]`;
    }
  }

  #ranges(ids: readonly BroadcastRanges[]): string {
    return ids.map(({ root, incarnation, ranges }) => {
      const pairs = Array.from({ length: ranges.length / 2 }, (_, pair) => [ranges[2 * pair], ranges[2 * pair + 1]]);
      const spans = pairs.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`);
      return `${this.incarnation(root, incarnation)}:${spans.join(",")}`;
    }).join(" ");
  }
}

/** Interest of one end, as it says it in the handshake. */
function interestOf(wanted: unknown): string {
  return wanted === undefined ? "" : wanted === true ? ", interest true" : ", interest false";
}
