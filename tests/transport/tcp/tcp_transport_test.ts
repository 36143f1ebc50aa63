// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../runtime/system.ts";
import { TcpTransport } from "../../../transport/tcp/tcp_transport.ts";
import { outcomeOf } from "../exhausted_files.ts";
import { transportSubject } from "../transport_subject.ts";
import { testTransport } from "../transport_suite.ts";

testTransport("TCP", () => {
  return transportSubject(new TcpTransport({ clock: systemClock }));
});

Deno.test("TcpTransport goes on accepting after the process ran out of open files", async () => {
  const program = new URL("open_files_program.ts", import.meta.url);
  assertEquals(await outcomeOf(program), { whileExhausted: 0, afterwards: 1 });
});

Deno.test("TcpTransport delivers what the kernel has not yet sent when a stream with unread bytes is closed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = new TcpTransport({ clock: systemClock });
  const [near, far] = await Promise.all([transport.connect(listener.addr as Deno.NetAddr), listener.accept()]);
  await far.write(new Uint8Array(60_000));
  await near.write(new Uint8Array(400_000));
  near.close();
  let received = 0;
  const buffer = new Uint8Array(65_536);
  for (let count = await far.read(buffer); count !== null; count = await far.read(buffer)) received += count;
  assertEquals(received, 400_000);
  far.close();
  listener.close();
  await transport.drained();
});

Deno.test("TcpTransport.close() gives up after closeTimeout when the other end does not close", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = new TcpTransport({ clock: systemClock, closeTimeout: 20 });
  const [near, far] = await Promise.all([transport.connect(listener.addr as Deno.NetAddr), listener.accept()]);
  const reading = assertRejects(() => near.read(new Uint8Array(1)), Error, "the stream is closed");
  near.close();
  await reading;
  await transport.drained();
  assertEquals(await far.read(new Uint8Array(1)), null);
  far.close();
  listener.close();
});

Deno.test("TcpTransport reports what an accept callback throws, and accepts the next stream", async () => {
  const transport = new TcpTransport({ clock: systemClock });
  const reported = new Promise<unknown>((resolve) => {
    const onError = (event: ErrorEvent) => {
      event.preventDefault();
      globalThis.removeEventListener("error", onError);
      resolve(event.error);
    };
    globalThis.addEventListener("error", onError);
  });
  const second = Promise.withResolvers<void>();
  let count = 0;
  const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 }, (stream) => {
    stream.close();
    if (++count === 1) throw new Error("No stream today");
    second.resolve();
  });
  const streams = [await transport.connect(listener.address), await transport.connect(listener.address)];
  await second.promise;
  assertEquals((await reported as Error).message, "No stream today");
  for (const stream of streams) stream.close();
  listener.close();
  await transport.drained();
});

Deno.test("TcpTransport.shortReads counts reads that bring a short message, and neither larger ones nor the end", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = new TcpTransport({ clock: systemClock });
  const [near, far] = await Promise.all([transport.connect(listener.addr as Deno.NetAddr), listener.accept()]);
  const buffer = new Uint8Array(65_536);
  for (const [length, counted] of [[1, 1], [2048, 2], [2049, 2], [65_536, 2], [64, 3]] as const) {
    await far.write(new Uint8Array(length));
    assertEquals(await near.read(buffer), length);
    assertEquals(transport.shortReads, counted, `${length} bytes`);
  }
  far.close();
  assertEquals(await near.read(buffer), null);
  assertEquals(transport.shortReads, 3);
  near.close();
  listener.close();
  await transport.drained();
});
