// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";
import { isPrintable } from "../wire/node_spec_check.ts";

/** The first element of those messages that are arrays. Numbers are part of the wire protocol: never reuse one. */
export const HeartbeatWord = {
  /** Asks another node for an indirect probe of a suspect. */
  probeRequest: 1,
  /** The answer to that: what the node that was asked has heard of the suspect. */
  probeReport: 2,
  /** Declares a node down. Sent to that node itself, it asks for a refutation. */
  dead: 3,
  /** Says that a node is alive: refutes dead messages with a smaller counter. */
  alive: 4,
} as const;

/** The sender's counter: it is alive. The commonest message by far, hence the smallest. */
export type HeartbeatCounter = number;

/** Whether the receiver is to send heartbeats to the sender from now on. `true` is answered by a heartbeat at once. */
export type WatchRequest = boolean;

/**
 * `[word, node, incarnation, counter, hops]`: the newest counter that the asker knows; and 1 when one that cannot answer well is to
 * ask others, 0 when not.
 */
export type ProbeRequest = readonly [
  word: typeof HeartbeatWord.probeRequest,
  node: string,
  incarnation: number,
  counter: number,
  hops: number,
];

/**
 * `[word, node, incarnation, counter, counterAge, silence]`: the newest counter that the node that was asked knows and how many
 * milliseconds ago it learned that, from the node or from others; and for how many milliseconds it has heard
 * nothing from the node directly, -1 when its own silence means nothing (it does not watch the node, has not done so for long
 * enough, or was asleep itself).
 */
export type ProbeReport = readonly [
  word: typeof HeartbeatWord.probeReport,
  node: string,
  incarnation: number,
  counter: number,
  counterAge: number,
  silence: number,
];

/** `[word, node, incarnation, newest counter known when it was declared down]` */
export type DeadMessage = readonly [
  word: typeof HeartbeatWord.dead,
  node: string,
  incarnation: number,
  counter: number,
];

/** `[word, node, incarnation, counter]` */
export type AliveMessage = readonly [
  word: typeof HeartbeatWord.alive,
  node: string,
  incarnation: number,
  counter: number,
];

/** Messages between failure detectors: plain values for MessagePack. */
export type HeartbeatMessage =
  | HeartbeatCounter
  | WatchRequest
  | ProbeRequest
  | ProbeReport
  | DeadMessage
  | AliveMessage;

/** Far above any counter that heartbeats reach. */
export const COUNTER_MAX = 2 ** 48;

/** Elements of the array that begins with each word. */
const LENGTHS: readonly (number | undefined)[] = [undefined, 5, 6, 4, 4];

/**
 * Checks a decoded message from another node.
 *
 * @param value Anything.
 * @returns `value`.
 * @throws {TypeError} When it is not a message of a failure detector.
 */
export function checkHeartbeatMessage(value: unknown): HeartbeatMessage {
  if (typeof value === "boolean" || isIntegerIn(value, 0, COUNTER_MAX)) return value;
  if (!Array.isArray(value)) throw malformed("neither a counter, a boolean nor an array");
  const [word, node, incarnation, counter, hopsOrAge, silence]: unknown[] = value;
  const length = isIntegerIn(word, 0, HeartbeatWord.alive) ? LENGTHS[word] : undefined;
  if (length === undefined) throw malformed("unknown word");
  if (value.length !== length) throw malformed(`${value.length} elements, expected ${length}`);
  if (typeof node !== "string" || node.length === 0 || node.length > 255 || !isPrintable(node)) {
    throw malformed("bad node name");
  }
  if (!isIntegerIn(incarnation, 0, Number.MAX_SAFE_INTEGER)) throw malformed("bad incarnation");
  if (!isIntegerIn(counter, 0, COUNTER_MAX)) throw malformed("bad counter");
  if (word === HeartbeatWord.probeRequest && !isIntegerIn(hopsOrAge, 0, 1)) throw malformed("bad number of hops");
  if (word === HeartbeatWord.probeReport) {
    if (!isIntegerIn(hopsOrAge, 0, Number.MAX_SAFE_INTEGER)) throw malformed("bad age of the counter");
    if (silence !== -1 && !isIntegerIn(silence, 0, Number.MAX_SAFE_INTEGER)) throw malformed("bad silence");
  }
  // What was checked above is more than its type says.
  return value as unknown as HeartbeatMessage;
}

function malformed(detail: string): TypeError {
  return new TypeError(`Malformed heartbeat message: ${detail}`);
}
