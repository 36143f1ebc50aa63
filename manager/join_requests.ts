// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { type Address, formatAddress } from "../wire/address.ts";
import { checkNodeSpec } from "../wire/node_spec_check.ts";
import { nameOf } from "./arguments.ts";
import { checkDialable, parseAddress } from "./addresses.ts";
import { awakeClock } from "../runtime/awake_clock.ts";
import { messageOf } from "../runtime/message_of.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { checkOptions, type OptionKinds, SIGNAL } from "../runtime/options.ts";
import type { JoinTarget } from "./joining.ts";
import type { Node } from "./node.ts";

/** Options of `join` and `syncJoin`. */
export interface JoinOptions {
  /**
   * Gives up joining.
   *
   * @default {none}
   */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionKinds<JoinOptions> = { signal: SIGNAL };

/**
 * Begins to join, and tells by an `error` event when the peer refuses for good.
 *
 * @returns Resolves when the attempt has ended, whatever came of it.
 */
export function beginJoin(
  node: Node,
  peer: NodeSpec | Address | string,
  options: JoinOptions | undefined,
): Promise<void> {
  const { signal } = checkOptions("Cannot join", options, OPTIONS);
  const target = joinTarget(peer);
  node.context.checkRunning("join");
  const until = node.context.untilStopped(signal);
  const failed = (error: unknown) => {
    // An attempt that ends with the node says nothing about the peer, and there will not be another one.
    if (!node.context.stopped) node.warnings.joinFailed(nameOfTarget(target), error);
  };
  return node.join(target, until, { failed }).then(() => {}, (error) => {
    // The caller that gave it up, or has the node leave, knows that without being told.
    if (until.aborted || isAbort(error)) return;
    node.context.emit("error", { error, node: nameOfTarget(target), during: `joining "${nameOfTarget(target)}"` });
  });
}

/** Joins, and waits until every connection is open: until `signal` is aborted, or for as long as the settings say. */
export async function completeJoin(
  node: Node,
  peer: NodeSpec | Address | string,
  options: JoinOptions | undefined,
): Promise<void> {
  const { signal } = checkOptions("Cannot join", options, OPTIONS);
  const target = joinTarget(peer);
  node.context.checkRunning("join");
  const { runtime, joinTimeout } = node.settings;
  const given = { signal, timeout: signal === undefined ? joinTimeout : undefined };
  const what = `Cannot join "${nameOfTarget(target)}"`;
  let trouble: unknown;
  let cutOff: unknown;
  let isJoined = false;
  try {
    await withDeadline(awakeClock(runtime.clock, node.context.health), given, what, async (ended, progress) => {
      const until = node.context.untilStopped(ended);
      // What the end of the time cut off may have had no time at all: what failed before says more.
      const failed = (error: unknown) => until.aborted ? cutOff = error : trouble = error;
      const joined = await node.join(target, until, { progress, failed });
      isJoined = true;
      if (joined !== null) await node.joining.settled(joined, until, progress);
    });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    const cause = trouble ?? cutOff;
    const obstacle = isJoined ? node.joining.obstacles() : cause === undefined ? "" : messageOf(cause);
    throw obstacle !== "" ? timeoutError(`${what} in time: ${obstacle}`, cause ?? error) : error;
  }
}

/** Leaves the cluster, or removes another node from it. */
export async function leave(node: Node, which: string | NodeSpec): Promise<void> {
  const name = nameOf("Cannot leave", which);
  node.context.checkRunning("leave");
  if (name === node.self.name) return await node.leave();
  await node.remove(name, typeof which === "string" ? undefined : which);
}

function joinTarget(peer: NodeSpec | Address | string): JoinTarget {
  if (typeof peer === "object" && peer !== null && "addresses" in peer) return checkNodeSpec(peer);
  const address = parseAddress(peer);
  checkDialable("join", "peer", address);
  return address;
}

function nameOfTarget(target: JoinTarget): string {
  return "name" in target ? target.name : formatAddress(target);
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** Says what took so long, and keeps the name by which callers know that time was up. */
function timeoutError(message: string, cause: unknown): DOMException {
  return Object.defineProperty(new DOMException(message, "TimeoutError"), "cause", { value: cause });
}
