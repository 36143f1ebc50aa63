// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CausalOrders } from "../../messaging/causal_orders.ts";
import { NotConnectedError } from "../../messaging/errors.ts";
import { noMessages } from "../../messaging/message_stats.ts";
import type { Outbound, OutboundMessage } from "../../messaging/outbound.ts";
import { ReliableSender } from "../../messaging/reliable_sender.ts";
import { type EncodedMessage, PayloadCodec } from "../../wire/payload_codec.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";

/** The sender's side of "a", to which the cluster tells of the incarnation `member` of "b". */
class Bench {
  readonly runtime = bareRuntime();
  readonly orders = new CausalOrders<unknown>(undefined, { name: "a", incarnation: 1 });
  /** Incarnations of "b" for which something was sent. */
  readonly sent: (string | undefined)[] = [];
  readonly sender: ReliableSender;
  member = 1;
  take = ({ envelope }: OutboundMessage): void => void this.sent.push(envelope?.causal?.stamp.to);

  constructor() {
    const note = (message: OutboundMessage) => this.take(message);
    this.sender = new ReliableSender({
      runtime: this.runtime,
      outbound: { forward: note, offer: note } as unknown as Outbound,
      codec: new PayloadCodec(),
      orders: this.orders,
      chance: () => 1,
      self: () => "a",
      incarnation: () => 1,
      stats: noMessages(),
      memberIncarnation: () => this.member,
      isPresent: () => false,
    });
  }

  forward(ack: boolean): Promise<void> {
    const options = { ack, causalLabel: "order" };
    return this.sender.forward({ node: "b", name: "ear", message: 1, options: {}, cast: false }, options);
  }

  /** The next incarnation is there, before the cluster tells of it. */
  restart(): void {
    this.orders.up({ name: "b", incarnation: this.member + 1 }, this.runtime.clock.now());
  }
}

Deno.test("a causal message to a member that has begun anew, without that being known yet, is refused and not kept", async () => {
  const bench = new Bench();
  await bench.forward(false);
  bench.restart();
  for (const ack of [false, true]) {
    await assertRejects(
      async () => await bench.forward(ack),
      NotConnectedError,
      `Cannot send to "b": it is not a member`,
    );
  }
  assertEquals([bench.sender.outstanding, bench.sent], [1, ["1:b"]]);
  bench.sender.stop(new Error("over"));
});

Deno.test("a causal message that is repeated goes on with its place until the newest incarnation of its receiver is a member", async () => {
  const bench = new Bench();
  await bench.forward(false);
  bench.member = 2;
  bench.restart();
  bench.sender.up("b");
  bench.member = 3;
  bench.sender.up("b");
  assertEquals(bench.sent, ["1:b", "1:b", "3:b"]);
  bench.sender.stop(new Error("over"));
});

Deno.test("a message that is not acknowledged soon has its bytes to itself, and does not keep those of others in memory", async () => {
  for (const timeout of [undefined, 60_000]) {
    const bench = new Bench();
    const kept: EncodedMessage[] = [];
    bench.take = ({ message }) => void kept.push(message as EncodedMessage);
    for (let index = 0; index < 20; index++) {
      const message = index % 2 === 0 ? new Uint8Array(100) : `message ${index}`;
      const outgoing = { node: "b", name: "ear", message, options: {}, cast: false };
      await bench.sender.forward(outgoing, { timeout });
    }
    const sizes = () => kept.map(({ bytes }) => bytes.buffer.byteLength);
    assert(sizes().every((size) => size > 1_000));
    const before = kept.map(({ bytes }) => bytes.slice());
    await bench.runtime.pass(100);
    assertEquals(sizes(), kept.slice(0, 20).map(({ length }) => length));
    assertEquals(kept.slice(0, 20).map(({ bytes }) => bytes), before);
    bench.sender.stop(new Error("over"));
  }
});
