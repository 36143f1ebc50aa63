// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { DelayQueue } from "../../messaging/delay_queue.ts";
import { NoHandlerError } from "../../messaging/errors.ts";
import { Inbound } from "../../messaging/inbound.ts";
import { delay, Interpositions } from "../../messaging/interposition.ts";
import { writeMessage } from "../../messaging/message_frame.ts";
import { Tracing } from "../../messaging/tracing.ts";
import { type MessageStats, noMessages, type Undeliverable } from "../../messaging/message_stats.ts";
import { PayloadCodec, UndecodableMessage } from "../../wire/payload_codec.ts";
import { SenderSignals, SharedContext } from "../../messaging/message_context.ts";
import { type MessageContext, Registry } from "../../messaging/registry.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { bareRuntime, pass } from "../connections/bare_runtime.ts";
import { settled } from "../connections/fake_stream.ts";
import { ConnectionBench } from "./message_bench.ts";
import { collectGarbage } from "../live_bytes.ts";
import type { Connection } from "../../connections/connection.ts";
import type { Peer } from "../../connections/peer.ts";

const CONTEXT: MessageContext = new SharedContext("b", "default", false, new SenderSignals());

/** The way in of node "a", and what it told. */
class Bench {
  readonly runtime = bareRuntime();
  readonly codec = new PayloadCodec();
  readonly registry = new Registry(() => {}, () => {});
  readonly interpositions = new Interpositions(() => {});
  readonly stats: MessageStats = noMessages();
  readonly undeliverable: Undeliverable[] = [];
  readonly failures: [name: string, from: string, error: unknown][] = [];
  readonly heard: [message: unknown, context: MessageContext][] = [];
  readonly inbound = new Inbound({
    tracing: new Tracing(),
    self: () => "a",
    codec: this.codec,
    registry: this.registry,
    interpositions: this.interpositions,
    delayed: new DelayQueue(this.runtime.clock),
    stats: this.stats,
    undeliverable: (what) => this.undeliverable.push(what),
    handlerFailed: (...failure) => this.failures.push(failure),
  });

  /** Registers a handler that keeps what it is given. */
  listen(name = "log"): void {
    this.registry.register(name, (message, context) => void this.heard.push([message, context]));
  }

  /** Takes messages off the wire, as they are written. @returns The connection that they came over. */
  async take(...messages: readonly { name?: string; cast?: boolean; message: unknown }[]): Promise<Connection<Peer>> {
    const wire = new ConnectionBench();
    for (const { name = "log", cast = false, message } of messages) {
      writeMessage(wire.connection, this.codec, name, cast, undefined, message);
    }
    const receiver = new ConnectionBench({}, { channel: "bulk" }).connection;
    for (const { kind, body } of await wire.frames()) {
      if (kind === FrameKind.handlerName) this.inbound.takeHandlerName(receiver, body, 0, body.length);
      else this.inbound.takeMessage(receiver, body, 0, body.length);
    }
    return receiver;
  }
}

Deno.test("Inbound hands a message to its handler, which learns who sent it, over which channel, and whether it was cast", async () => {
  const bench = new Bench();
  bench.listen();
  await bench.take({ message: 1 }, { message: { two: 2 }, cast: true }, { message: 3 });
  const told = bench.heard.map(([message, { from, channel, cast }]) => [message, from, channel, cast]);
  assertEquals(told, [[1, "b", "bulk", false], [{ two: 2 }, "b", "bulk", true], [3, "b", "bulk", false]]);
  assertEquals([bench.stats.delivered, bench.stats.unhandled], [3, 0]);
});

Deno.test("Inbound makes no context anew for each message, and lets no handler change it for the next one", async () => {
  const bench = new Bench();
  bench.listen();
  await bench.take({ message: 1 }, { message: 2 });
  const [[, first], [, second]] = bench.heard as [[unknown, MessageContext], [unknown, MessageContext]];
  assertStrictEquals(first, second);
  assert(Object.isFrozen(first));
});

Deno.test("Inbound does not hold on to a connection that has closed", async () => {
  const bench = new Bench();
  bench.listen();
  const closed = await (async () => {
    const connection = await bench.take({ message: 1 });
    bench.inbound.closed(connection);
    return new WeakRef(connection);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  assertStrictEquals(closed.deref(), undefined);
});

Deno.test("Inbound tells of a message to a name that no node has, and goes on", async () => {
  const bench = new Bench();
  bench.listen();
  await bench.take({ name: "nobody", message: 1 }, { message: 2 });
  assertEquals(bench.undeliverable, [{ node: "a", name: "nobody", reason: 'No handler is registered as "nobody"' }]);
  assertEquals([bench.stats.delivered, bench.stats.unhandled, bench.heard.length], [1, 1, 1]);
});

Deno.test("Inbound tells what a handler throws or rejects with, and goes on", async () => {
  const bench = new Bench();
  bench.listen();
  const [thrown, rejected] = [new Error("Thrown"), new Error("Rejected")];
  bench.registry.register("throws", () => {
    throw thrown;
  });
  bench.registry.register("rejects", () => Promise.reject(rejected));
  await bench.take({ name: "throws", message: 1 }, { name: "rejects", message: 2 }, { message: 3 });
  await settled();
  assertEquals(bench.failures, [["throws", "b", thrown], ["rejects", "b", rejected]]);
  assertEquals([bench.heard.length, bench.stats.delivered], [1, 3]);
});

Deno.test("Inbound.deliver() returns what the handler returns", () => {
  const bench = new Bench();
  bench.registry.register("double", (n: number) => 2 * n);
  assertEquals(bench.inbound.deliver("double", 21, CONTEXT), 42);
  assertEquals(bench.inbound.deliver("nobody", 21, CONTEXT), undefined);
});

Deno.test("Inbound.answer() resolves and rejects as the handler does", async () => {
  const bench = new Bench();
  bench.registry.register("double", async (n: number) => await Promise.resolve(2 * n));
  const error = new TypeError("No");
  bench.registry.register("throws", () => {
    throw error;
  });
  assertEquals(await bench.inbound.answer("double", 21, CONTEXT), 42);
  assertStrictEquals(await assertRejects(() => bench.inbound.answer("throws", 1, CONTEXT), TypeError), error);
  assertEquals(bench.failures, [["throws", "b", error]]);
  await assertRejects(
    () => bench.inbound.answer("nobody", 1, CONTEXT),
    NoHandlerError,
    'No handler is registered as "nobody"',
  );
  assertEquals([bench.stats.delivered, bench.stats.unhandled, bench.undeliverable], [2, 1, []]);
});

Deno.test("Inbound shows no handler and no interposition function a message that could not be decoded", async () => {
  const bench = new Bench();
  bench.listen();
  const seen: unknown[] = [];
  bench.interpositions.fun.add("spy", ({ message }) => {
    seen.push(message);
    return message;
  });
  const error = new SyntaxError("Cannot decode");
  bench.inbound.receive("log", new UndecodableMessage(error), CONTEXT, 1);
  await assertRejects(() => bench.inbound.answer("log", new UndecodableMessage(error), CONTEXT), SyntaxError);
  assertEquals([bench.heard, seen, bench.stats.delivered], [[], [], 0]);
  assertEquals(bench.failures, [["log", "b", error], ["log", "b", error]]);
});

Deno.test("Inbound sends messages through the interposition functions: changed, dropped, or later", async () => {
  const bench = new Bench();
  bench.listen();
  let delays = 0;
  bench.interpositions.fun.add("judge", ({ type, node, channel, message }) => {
    assertEquals([type, node, channel], ["receive_message", "b", "default"]);
    if (message === "drop") return undefined;
    return message === "later" && delays++ < 2 ? delay("later") : `${message}!`;
  });
  for (const message of ["keep", "drop", "later"]) bench.inbound.receive("log", message, CONTEXT, 1);
  assertEquals(bench.heard.map(([message]) => message), ["keep!"]);
  await pass(bench.runtime.clock, 1000);
  assertEquals(bench.heard.map(([message]) => message), ["keep!", "later!"]);
  assertEquals(delays, 3);
});

Deno.test("SenderSignals ends what the incarnations before a newer one have sent, and keeps a bounded number of signals", () => {
  const signals = new SenderSignals();
  const [former, present] = [signals.of("b", 1), signals.of("b", 2)];
  assertStrictEquals(signals.of("b", 2), present);
  signals.abort("b", new Error("over"), 2);
  assertEquals([former.aborted, present.aborted], [true, false]);
  assertStrictEquals(signals.of("b", 2), present);
  signals.abort("b", new Error("gone"));
  assertEquals([present.aborted, signals.has("b")], [true, false]);
  for (let incarnation = 0; incarnation < 100; incarnation++) signals.of("b", incarnation);
  assertEquals(signals.size, 8);
  for (let node = 0; node < 20_000; node++) signals.of(`n${node}`, 1);
  assertLess(signals.size, 17_000);
});
