// Copyright 2026 the Partisan peer-service authors. MIT license.

import { digestFromFields } from "./digest_value.ts";
import type { Dot } from "../membership/dot.ts";
import type { Digest } from "../wire/hash.ts";
import type { MembershipSet } from "../membership/membership_set.ts";
import {
  dotFromValue,
  dotToValue,
  MEMBERSHIP_NAMES_MAX,
  membershipFromValue,
  membershipToValue,
} from "../membership/membership_value.ts";
import { checkArray, checkInteger, checkName } from "../wire/node_spec_check.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Messages between replicas of a membership. */
export type GossipMessage =
  /** A hash of all that I know: a node that knows something else answers with a summary. */
  | { readonly kind: "digest"; readonly digest: Digest }
  /** The dots of all members that I know: a node that knows more or less answers with a delta. */
  | { readonly kind: "summary"; readonly dots: readonly Dot[] }
  /** Something to merge; and names of which I would like to have what is known. */
  | { readonly kind: "delta"; readonly delta: MembershipSet; readonly wanted: readonly string[] }
  /** All members that I know, who wants to be one of yours. */
  | { readonly kind: "join"; readonly members: MembershipSet }
  /** The answer to a join. */
  | {
    readonly kind: "welcome";
    /** The incarnation of the node that asked: a later one did not. */
    readonly incarnation: number;
    /** All that it lacks. */
    readonly delta: MembershipSet;
    /** Names of those that came with it, and have to hear of this from it. */
    readonly companions: readonly string[];
  };

/** The numbers are part of the wire protocol: never reuse one. */
const DIGEST = 0;
const SUMMARY = 1;
const DELTA = 2;
const JOIN = 3;
const WELCOME = 4;

/** A message as a value that MessagePack can carry: an array that begins with the number of its kind. */
export function gossipToValue(message: GossipMessage): unknown[] {
  switch (message.kind) {
    case "digest":
      return [DIGEST, message.digest.high, message.digest.low];
    case "summary":
      return [SUMMARY, message.dots.map(dotToValue)];
    case "delta":
      return [DELTA, membershipToValue(message.delta), message.wanted];
    case "join":
      return [JOIN, membershipToValue(message.members)];
    case "welcome":
      return [WELCOME, message.incarnation, membershipToValue(message.delta), message.companions];
  }
}

/**
 * The message of a value that {@linkcode gossipToValue} made, on whatever node.
 *
 * @throws {TypeError} When it is malformed, or something in it is out of bounds.
 */
export function gossipFromValue(value: unknown): GossipMessage {
  try {
    return parse(checkArray(value, "gossip", 4));
  } catch (cause) {
    const reason = messageOf(cause);
    throw new TypeError(`Cannot read gossip: ${reason}`, { cause });
  }
}

function parse([kind, first, second, third]: readonly unknown[]): GossipMessage {
  switch (kind) {
    case DIGEST:
      return { kind: "digest", digest: digestFromFields(first, second) };
    case SUMMARY:
      return { kind: "summary", dots: checkArray(first, "summary", MEMBERSHIP_NAMES_MAX).map(dotFromValue) };
    case DELTA:
      return {
        kind: "delta",
        delta: membershipFromValue(first),
        wanted: namesFromValue(second, "wanted names"),
      };
    case JOIN:
      return { kind: "join", members: membershipFromValue(first) };
    case WELCOME:
      return {
        kind: "welcome",
        incarnation: checkInteger(first, "incarnation", 0, Number.MAX_SAFE_INTEGER),
        delta: membershipFromValue(second),
        companions: namesFromValue(third, "companions"),
      };
    default:
      throw new TypeError(`unknown kind ${String(kind)}`);
  }
}

function namesFromValue(value: unknown, what: string): string[] {
  return checkArray(value, what, MEMBERSHIP_NAMES_MAX).map((name) => checkName(name, `name among ${what}`));
}
