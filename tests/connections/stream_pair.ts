// Copyright 2026 the Partisan peer-service authors. MIT license.

import { VirtualClock } from "../../testing/virtual_clock.ts";
import { MemoryNetwork } from "../../transport/memory/memory_transport.ts";
import type { ByteStream } from "../../transport/transport.ts";

/** The two ends of a stream without latency, the dialer's first. */
export async function streamPair(): Promise<[ByteStream, ByteStream]> {
  const network = new MemoryNetwork({ clock: new VirtualClock() });
  const accepted = Promise.withResolvers<ByteStream>();
  const { address } = await network.transport("b").listen({ hostname: "b", port: 0 }, accepted.resolve);
  return [await network.transport("a").connect(address), await accepted.promise];
}

/** Passes on what arrives at each of two ends to the other one, changed or not. */
export async function relay(
  from: ByteStream,
  to: ByteStream,
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => bytes,
): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      await to.write(change(buffer.slice(0, count)));
    }
  } catch {
    // One of the ends gave up: so does the other one.
  }
  to.close();
}
