// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Loops that await each message they send never leave the turn of the event loop: what they send must leave in batches all the same. */

import { assertEquals, assertLess } from "@std/assert";
import { startPeerService } from "../../mod.ts";
import { type ByteStream, denoRuntime, systemClock, TcpTransport } from "../../transport/mod.ts";

const MESSAGES = 10_000;
/** About a hundred messages share a write on average, at least: a full batch has eight hundred. */
const WRITES_MAX = MESSAGES / 100;

/** A transport that counts the writes of the streams that were dialed over it. */
class CountingTransport extends TcpTransport {
  writes = 0;

  override async connect(...dial: Parameters<TcpTransport["connect"]>): Promise<ByteStream> {
    const stream = await super.connect(...dial);
    const write = stream.write.bind(stream);
    stream.write = (bytes) => {
      this.writes++;
      return write(bytes);
    };
    return stream;
  }
}

Deno.test("A loop that awaits each forwardMessage() has one write for many messages, and keeps their order", async () => {
  const transport = new CountingTransport({ clock: systemClock });
  await using b = await startPeerService({ name: "b" });
  await using a = await startPeerService({ name: "a", runtime: denoRuntime({ transport }) });
  await a.syncJoin(b.spec);
  const numbers: number[] = [];
  const all = Promise.withResolvers<void>();
  b.register("log", (message: Uint8Array) => {
    if (numbers.push(new DataView(message.buffer, message.byteOffset).getUint16(0)) === MESSAGES) all.resolve();
  });
  const before = transport.writes;
  for (let number = 0; number < MESSAGES; number++) {
    const message = new Uint8Array(64);
    new DataView(message.buffer).setUint16(0, number);
    await a.forwardMessage("b", "log", message);
  }
  await all.promise;
  assertEquals(numbers, Array.from({ length: MESSAGES }, (_, number) => number));
  assertLess(transport.writes - before, WRITES_MAX);
});
