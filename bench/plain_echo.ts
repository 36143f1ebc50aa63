// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type EchoReport, echoReport } from "./echo_report.ts";
import { writeAll } from "./raw_connection.ts";
import type { Stage } from "./stage.ts";

/** Sends back messages of `size` bytes, each once it is there as a whole: two awaits in a loop, and nothing else. @returns The address. */
export function servePlainEcho(_: Stage, { size }: { size: number }): Deno.NetAddr {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.accept().then(async (conn) => {
    listener.close();
    conn.setNoDelay(true);
    const buffer = new Uint8Array(size);
    while (await readAll(conn, buffer)) await writeAll(conn, buffer);
    conn.close();
  });
  return listener.addr;
}

/** Opens the connection for {@linkcode runPlainEcho}. */
export async function connectPlainEcho(stage: Stage, address: Deno.NetAddr): Promise<void> {
  const conn = await Deno.connect({ hostname: address.hostname, port: address.port });
  conn.setNoDelay(true);
  stage.plain = conn;
}

/** Sends a message back and forth. */
export async function runPlainEcho(
  stage: Stage,
  { count, size }: { count: number; size: number },
): Promise<EchoReport> {
  const conn = stage.plain!;
  const message = new Uint8Array(size);
  const buffer = new Uint8Array(size);
  const times = new Float64Array(count);
  for (let seen = 0; seen < count; seen++) {
    const sentAt = performance.now();
    await writeAll(conn, message);
    await readAll(conn, buffer);
    times[seen] = 1000 * (performance.now() - sentAt);
  }
  return echoReport(times);
}

async function readAll(conn: Deno.Conn, buffer: Uint8Array): Promise<boolean> {
  for (let length = 0; length < buffer.length;) {
    const count = await conn.read(length === 0 ? buffer : buffer.subarray(length));
    if (count === null) return false;
    length += count;
  }
  return true;
}
