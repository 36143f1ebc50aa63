// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import type { ConnectionPool } from "../../connections/connection_pool.ts";
import { acknowledgementFromValue } from "../../messaging/acknowledgement.ts";
import type { Calls } from "../../messaging/calls.ts";
import { CausalOrder } from "../../messaging/causality.ts";
import { CausalOrders } from "../../messaging/causal_orders.ts";
import { DelayQueue } from "../../messaging/delay_queue.ts";
import { Inbound } from "../../messaging/inbound.ts";
import { Interpositions } from "../../messaging/interposition.ts";
import { writeMessage } from "../../messaging/message_frame.ts";
import { type MessageStats, noMessages } from "../../messaging/message_stats.ts";
import { type MessageContext, Registry } from "../../messaging/registry.ts";
import { type AcceptedMessage, ReliableReceiver } from "../../messaging/reliable_receiver.ts";
import { Tracing } from "../../messaging/tracing.ts";
import { participantKey } from "../../wire/causal_stamp.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";
import { ConnectionBench } from "./message_bench.ts";

const A = { name: "a", incarnation: 1 };
const B = { name: "b", incarnation: 1 };

Deno.test("a causal message of a node that lives, and that others have removed, is refused for good", async () => {
  const runtime = bareRuntime();
  const orders = new CausalOrders<AcceptedMessage>(undefined, B);
  const [heard, reported]: [unknown[], unknown[]] = [[], []];
  const receiver = new ReliableReceiver({
    runtime,
    orders,
    codec: new PayloadCodec(),
    pool: { peers: new Map(), selfName: () => B.name } as unknown as ConnectionPool,
    inbound: {
      interposing: false,
      hasRoom: () => true,
      handles: () => true,
      handle: (_: string, message: unknown) => void heard.push(message),
    } as unknown as Inbound,
    calls: {} as Calls,
    stats: noMessages(),
    acknowledgeHere: () => {},
    relayAcknowledgement: (to, value) => {
      const { through, late } = acknowledgementFromValue(value);
      reported.push([to, through, late]);
    },
  });
  const sender = new CausalOrder(participantKey("a", 1));
  const send = async (sequence: number) => {
    const causal = { label: "order", stamp: sender.send(participantKey("b", 1)), empty: false };
    const envelope = { sequence, floor: sequence, causal };
    receiver.accept(A, envelope, 1, sequence, "ear", {} as MessageContext, "b");
    await runtime.pass(1);
  };
  await send(1);
  orders.gone(A, runtime.clock.now());
  await send(2);
  assertEquals(heard, [1]);
  assertEquals(reported, [["a", 1, []], ["a", 1, [2, 2]]]);
});

/** Outcome of numbered messages: a new one, its repetition, one whose handler throws, one without a handler, and one whose handler takes its time. */
async function taken({ isBounded }: { isBounded: boolean }) {
  const runtime = bareRuntime();
  const codec = new PayloadCodec();
  const stats: MessageStats = noMessages();
  const registry = new Registry(() => {}, () => {});
  const [heard, told, reported]: [unknown[], unknown[], unknown[]] = [[], [], []];
  const inbound = new Inbound({
    ...{ codec, registry, stats },
    self: () => "a",
    tracing: new Tracing(),
    interpositions: new Interpositions(() => {}),
    delayed: new DelayQueue(runtime.clock),
    undeliverable: ({ name, reason }) => told.push([name, reason]),
    handlerFailed: (name, from, error) => told.push([name, from, `${error}`]),
  });
  const receiver = new ReliableReceiver({
    ...{ runtime, codec, inbound, stats },
    orders: new CausalOrders<AcceptedMessage>(undefined, A),
    pool: { peers: new Map(), selfName: () => "a" } as unknown as ConnectionPool,
    calls: { copies: () => false } as unknown as Calls,
    acknowledgeHere: () => {},
    relayAcknowledgement: (to, value, isRepeated) => reported.push([to, acknowledgementFromValue(value), isRepeated]),
  });
  registry.register("ear", (message, { from, channel, cast }) => heard.push([message, from, channel, cast]));
  registry.register("slow", () => Promise.resolve().then(() => heard.push("slow")));
  registry.register("broken", () => {
    throw new RangeError("Cannot hear");
  });
  // A bound of its own for any handler has all messages ask for room.
  if (isBounded) registry.register("bounded", () => {}, { concurrency: 1 });
  const wire = new ConnectionBench();
  const sent: [name: string, sequence: number, message: unknown][] = [
    ["ear", 1, Uint8Array.of(1)],
    ["ear", 1, Uint8Array.of(1)],
    ["broken", 2, "two"],
    ["nobody", 3, "three"],
    ["slow", 4, { four: 4 }],
  ];
  for (const [name, sequence, message] of sent) {
    assert(writeMessage(wire.connection, codec, name, false, { sequence, floor: 1 }, message));
  }
  const { connection } = new ConnectionBench({}, { channel: "bulk" });
  for (const { kind, body } of await wire.frames()) {
    if (kind === FrameKind.handlerName) inbound.takeHandlerName(connection, body, 0, body.length);
    else receiver.takeEnvelope(connection, body, 0, body.length);
  }
  await runtime.pass(1);
  return { heard, told, reported, stats };
}

Deno.test("a numbered message meets the same end, whether it has to ask for room or not", async () => {
  const plain = await taken({ isBounded: false });
  assertEquals(plain, await taken({ isBounded: true }));
  assertEquals(plain.heard, [[Uint8Array.of(1), "b", "bulk", false], "slow"]);
  assertEquals(plain.told, [
    ["broken", "b", "RangeError: Cannot hear"],
    ["nobody", 'No handler is registered as "nobody"'],
  ]);
  const { received, delivered, duplicates, failed, unhandled } = plain.stats;
  assertEquals([received, delivered, duplicates, failed, unhandled], [5, 3, 1, 1, 1]);
  assertEquals(plain.reported.length, 2);
});
