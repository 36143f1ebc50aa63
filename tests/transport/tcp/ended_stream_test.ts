// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../../testing/virtual_clock.ts";
import { TcpStream, type TcpStreamContext } from "../../../transport/tcp/tcp_stream.ts";

/** A stream whose other end has something to say, or nothing any more, and what is done with its socket. */
function bench(reads: (number | null)[], write?: (bytes: Uint8Array) => Promise<number>) {
  const done: string[] = [];
  const conn: Partial<Deno.TcpConn> = {
    remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    read: () => Promise.resolve(reads.shift() ?? null),
    ...write !== undefined && { write },
    closeWrite: () => Promise.resolve(void done.push("closeWrite")),
    close: () => void done.push("close"),
  };
  const clock = new VirtualClock();
  const sets = { closing: new Set<Promise<void>>(), unbinding: new Set<Promise<void>>() };
  const context: TcpStreamContext = { clock, closeTimeout: 1_000, sink: new Uint8Array(8), ...sets, shortReads: 0 };
  return { clock, context, done, stream: new TcpStream(conn as Deno.TcpConn, context) };
}

Deno.test("TcpStream.close() releases the socket at once when the other end has closed, and sets no timer", async () => {
  const { clock, context, done, stream } = bench([null]);
  assertEquals(await stream.read(new Uint8Array(8)), null);
  stream.close();
  assertEquals([done, clock.pending, context.closing.size], [["close"], 0, 0]);
});

Deno.test("TcpStream.close() waits for the other end's word as long as that has not closed", async () => {
  const { clock, context, done, stream } = bench([3, null]);
  assertEquals(await stream.read(new Uint8Array(8)), 3);
  stream.close();
  assertEquals([done, clock.pending, context.closing.size], [[], 1, 1]);
  await Promise.all(context.closing);
  assertEquals([done, clock.pending, context.closing.size], [["closeWrite", "close"], 0, 0]);
});

Deno.test("TcpStream.close() waits for the other end's word also when a read that was waiting brings more", async () => {
  const reads = [3, null];
  const { context, stream } = bench(reads);
  const waiting = stream.read(new Uint8Array(8));
  stream.close();
  await assertRejects(() => waiting, Error, "the stream is closed");
  await Promise.all(context.closing);
  assertEquals(reads, []);
});

Deno.test("TcpStream.write() goes on where the system took a part, and lets no other write come in between", async () => {
  const written: number[] = [];
  const { stream } = bench([], (bytes) => {
    written.push(...bytes.subarray(0, 2));
    return Promise.resolve(Math.min(2, bytes.length));
  });
  const writing = stream.write(Uint8Array.of(1, 2, 3, 4, 5));
  await Promise.resolve();
  await assertRejects(() => stream.write(Uint8Array.of(9)), TypeError, "another write is waiting");
  await writing;
  await stream.write(new Uint8Array());
  await stream.write(Uint8Array.of(6));
  assertEquals(written, [1, 2, 3, 4, 5, 6]);
});
