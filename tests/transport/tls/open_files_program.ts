// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Runs under a small limit of open files: takes all of them while a listener is to accept, gives them back, and prints how many
 * connections the listener had accepted before, and whether it accepts afterwards.
 */

import { connect } from "node:net";
import { systemClock } from "../../../runtime/deno_runtime.ts";
import { SocketListener } from "../../../transport/tls/sockets.ts";

let accepted = 0;
let onAccept = () => {};
const listener = await SocketListener.open({ hostname: "127.0.0.1", port: 0 }, systemClock, (socket) => {
  accepted++;
  onAccept();
  socket.destroy();
});
const files: Deno.FsFile[] = [];
try {
  for (;;) files.push(Deno.openSync("/dev/null"));
} catch {
  // That was the last one.
}
files.pop()?.close();
const dialed = connect({ host: "127.0.0.1", port: listener.address.port });
await new Promise<void>((resolve) => dialed.once("connect", resolve));
// Two turns of the event loop: by then it has tried to accept, and failed.
for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => systemClock.schedule(20, () => resolve(null)));
const whileExhausted = accepted;
const served = new Promise<void>((resolve) => onAccept = resolve);
for (const file of files) file.close();
await served;
const outcome = JSON.stringify({ whileExhausted, afterwards: accepted });
Deno.stdout.writeSync(new TextEncoder().encode(outcome));
dialed.destroy();
listener.close();
