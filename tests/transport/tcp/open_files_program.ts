// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Runs under a small limit of open files: takes all of them while a listener is to accept, gives them back, and prints
 * what became of the listener.
 */

import { systemClock } from "../../../runtime/deno_runtime.ts";
import { TcpTransport } from "../../../transport/tcp/tcp_transport.ts";
import type { ByteStream } from "../../../transport/transport.ts";

const transport = new TcpTransport({ clock: systemClock });
const accepted: ByteStream[] = [];
let onAccept = () => {};
const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 }, (stream) => {
  accepted.push(stream);
  onAccept();
});

const files: Deno.FsFile[] = [];
try {
  for (;;) files.push(Deno.openSync("/dev/null"));
} catch {
  // That was the last one.
}
files.pop()?.close();
const dialed = await transport.connect(listener.address);
while (transport.stats.acceptErrors < 2) await new Promise((resolve) => systemClock.schedule(1, () => resolve(null)));
const whileExhausted = accepted.length;

const served = new Promise<void>((resolve) => onAccept = resolve);
for (const file of files) file.close();
await served;
const outcome = JSON.stringify({ whileExhausted, afterwards: accepted.length });
Deno.stdout.writeSync(new TextEncoder().encode(outcome));
for (const stream of [dialed, ...accepted]) stream.close();
listener.close();
