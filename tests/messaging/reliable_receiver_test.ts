// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { ConnectionPool } from "../../connections/connection_pool.ts";
import { acknowledgementFromValue } from "../../messaging/acknowledgement.ts";
import type { Calls } from "../../messaging/calls.ts";
import { CausalOrder } from "../../messaging/causality.ts";
import { CausalOrders } from "../../messaging/causal_orders.ts";
import type { Inbound } from "../../messaging/inbound.ts";
import { noMessages } from "../../messaging/message_stats.ts";
import type { MessageContext } from "../../messaging/registry.ts";
import { type AcceptedMessage, ReliableReceiver } from "../../messaging/reliable_receiver.ts";
import { participantKey } from "../../wire/causal_stamp.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";

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
    receiver.accept(A, envelope, 1, sequence, "ear", {} as MessageContext, false);
    await runtime.pass(1);
  };
  await send(1);
  orders.gone(A, runtime.clock.now());
  await send(2);
  assertEquals(heard, [1]);
  assertEquals(reported, [["a", 1, []], ["a", 1, [2, 2]]]);
});
