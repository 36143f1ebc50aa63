// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Runs under a small limit of open files: takes all of them while a listener is to accept, gives them back, and prints
 * what became of the listener.
 */

import { connect } from "node:net";
import { systemClock } from "../../../runtime/system.ts";
import { SocketListener } from "../../../transport/tls/sockets.ts";
import { Accepted, holdFiles, pause, printOutcome } from "../exhausted_files.ts";

const accepted = new Accepted();
const listener = await SocketListener.open({ hostname: "127.0.0.1", port: 0 }, systemClock, (socket) => {
  accepted.add();
  socket.destroy();
});

const files = holdFiles();
const dialed = connect({ host: "127.0.0.1", port: listener.address.port });
await new Promise<void>((resolve) => dialed.once("connect", resolve));
// Two turns of the event loop: by then it has tried to accept, and failed.
for (let turn = 0; turn < 2; turn++) await pause(20);
await printOutcome(files, accepted);
dialed.destroy();
listener.close();
