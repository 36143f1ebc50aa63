// Copyright 2026 the Partisan peer-service authors. MIT license.

import { Groups } from "../groups/groups.ts";
import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import type { MemberStatus } from "../manager/member_status.ts";
import { NotConnectedError } from "../messaging/errors.ts";
import type { AdminInput } from "./admin_input.ts";
import { connectionViews, infoView, memberView, NoSuchNodeError } from "./admin_views.ts";

/** Something that the admin endpoint does for those who ask. */
export interface AdminOperation {
  /** Whether it changes something, or makes others do something. */
  readonly changes: boolean;
  /** Does it. `signal` is aborted when the answer is not awaited any more. @returns Value for JSON. */
  run(node: PeerServiceManager, input: AdminInput, signal: AbortSignal): unknown;
}

/** Milliseconds that a request may ask to wait at most. */
const TIMEOUT_MAX = 3_600_000;
const PING_TIMEOUT = 5_000;
const STATUSES: readonly MemberStatus[] = ["up", "suspect", "down"];

/** Operations that any node offers. */
export const operations: ReadonlyMap<string, AdminOperation> = new Map<string, AdminOperation>([
  ["members", { changes: false, run: members }],
  ["info", { changes: false, run: (node, input) => infoView(node, input.optionalText("node") ?? node.name) }],
  ["stats", { changes: false, run: (node) => node.stats() }],
  ["discovery", { changes: false, run: (node) => node.discovery() }],
  ["keys", { changes: false, run: keys }],
  ["ping", { changes: true, run: ping }],
  ["call", { changes: true, run: call }],
  ["cast", { changes: true, run: cast }],
  ["publish", { changes: true, run: publish }],
  ["join", { changes: true, run: join }],
  ["leave", { changes: true, run: leave }],
  ["remove", { changes: true, run: remove }],
  ["drain", { changes: true, run: drain }],
]);

function members(node: PeerServiceManager, input: AdminInput): unknown {
  const asked = input.optionalText("status");
  const status = STATUSES.find((each) => each === asked);
  if (asked !== undefined && status === undefined) {
    throw new TypeError(`Cannot list members with status "${asked}": expected ${STATUSES.join(" or ")}`);
  }
  const names = node.members({ status });
  return { node: node.name, version: node.membershipVersion, members: names.map((name) => memberView(node, name)) };
}

function keys(node: PeerServiceManager): unknown {
  const { posture, trust } = node.stats();
  return { node: node.name, posture, ...trust, connections: connectionViews(node) };
}

async function ping(manager: PeerServiceManager, input: AdminInput): Promise<unknown> {
  const name = input.text("node");
  const timeout = input.milliseconds("timeout", TIMEOUT_MAX) ?? PING_TIMEOUT;
  const { self, status, reason } = memberView(manager, name);
  if (self) return { node: name, roundTrip: 0 };
  const { pinger, pool } = PeerService.nodeOf(manager);
  const peer = pool.peers.get(name);
  if (peer === undefined || !manager.isConnected(name)) {
    throw new NotConnectedError(`Cannot ping "${name}": it is ${status}, ${reason}`);
  }
  if (await pinger.ping(peer, timeout)) return { node: name, roundTrip: peer.roundTrip };
  throw new NotConnectedError(`Cannot ping "${name}": no answer within ${timeout} ms`);
}

async function call(node: PeerServiceManager, input: AdminInput, signal: AbortSignal): Promise<unknown> {
  const [to, name, channel] = [input.text("node"), input.text("name"), input.optionalText("channel")];
  const timeout = input.milliseconds("timeout", TIMEOUT_MAX);
  return { reply: await node.call(to, name, input.value("message"), { timeout, signal, channel }) };
}

/** With `ack`, answers once the handler there is done; without, once the message is accepted here. */
async function cast(node: PeerServiceManager, input: AdminInput, signal: AbortSignal): Promise<unknown> {
  const [to, name, channel] = [input.text("node"), input.text("name"), input.optionalText("channel")];
  const timeout = input.milliseconds("timeout", TIMEOUT_MAX);
  const ack = input.flag("ack");
  await node.forwardMessage(to, name, input.value("message"), { timeout, signal, channel, ack });
  return { handled: ack };
}

function publish(node: PeerServiceManager, input: AdminInput): unknown {
  const [name, message] = [input.text("name"), input.value("message")];
  if (!input.flag("group")) {
    node.broadcast(name, message);
    return { nodes: node.members().length };
  }
  const groups = new Groups(node, { scope: input.optionalText("scope") ?? "default" });
  const count = groups.members(name).length;
  groups.publish(name, message);
  return { members: count };
}

async function join(node: PeerServiceManager, input: AdminInput, signal: AbortSignal): Promise<unknown> {
  const timeout = input.milliseconds("timeout", TIMEOUT_MAX);
  const until = timeout === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  await node.syncJoin(input.text("address"), { signal: until });
  return { members: node.members() };
}

async function leave(node: PeerServiceManager): Promise<unknown> {
  await node.leave();
  return { members: node.members() };
}

async function remove(node: PeerServiceManager, input: AdminInput): Promise<unknown> {
  const name = input.text("node");
  if (!node.member(name)) throw new NoSuchNodeError(`Cannot remove "${name}": "${node.name}" knows no such member`);
  await node.leave(name);
  return { members: node.members() };
}

/** Goes on when the answer is not awaited any more. */
async function drain(node: PeerServiceManager, input: AdminInput): Promise<unknown> {
  await node.drain({ timeout: input.milliseconds("timeout", TIMEOUT_MAX) });
  return { drained: node.name };
}
