// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Runs under a small limit of open files: takes all of them while a listener is to accept, gives them back, and prints
 * what became of the listener.
 */

import { systemClock } from "../../../runtime/system.ts";
import { TcpTransport } from "../../../transport/tcp/tcp_transport.ts";
import type { ByteStream } from "../../../transport/transport.ts";
import { Accepted, holdFiles, pause, printOutcome } from "../exhausted_files.ts";

const transport = new TcpTransport({ clock: systemClock });
const accepted = new Accepted();
const streams: ByteStream[] = [];
const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 }, (stream) => {
  streams.push(stream);
  accepted.add();
});

const files = holdFiles();
streams.push(await transport.connect(listener.address));
while (transport.stats.acceptErrors < 2) await pause(1);
await printOutcome(files, accepted);
for (const stream of streams) stream.close();
listener.close();
