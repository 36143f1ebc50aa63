// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../runtime/system.ts";
import { dialController } from "../../../transport/tcp/dial_controller.ts";
import { Doorbell } from "../../../transport/tcp/doorbell.ts";
import { TcpTransport } from "../../../transport/tcp/tcp_transport.ts";
import { withDeno } from "./replaced_deno.ts";

/** Has the dial that `run` begins given up just as its socket has opened, as `Deno.connect` does it. The sanitizer finds what stays open. */
function givingUp<T>(giveUp: () => unknown, run: () => T): T {
  const replace = (connect: typeof Deno.connect) => async ({ signal, ...address }: Deno.ConnectOptions) => {
    const conn = await connect(address);
    giveUp();
    signal?.throwIfAborted();
    return conn;
  };
  return withDeno("connect", replace, run);
}

Deno.test("dialController() has Deno.connect return what has opened although the dial was given up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = dialController();
  const { port } = listener.addr;
  const dial = () => Deno.connect({ hostname: "127.0.0.1", port, signal: controller.signal });
  using _far = await givingUp(() => controller.abort(), dial);
  assert(controller.signal.aborted);
  (await listener.accept()).close();
});

Deno.test("dialController() has Deno.connect stop what has not opened", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = dialController();
  const dial = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port, signal: controller.signal });
  controller.abort();
  await assertRejects(() => dial, Deno.errors.Interrupted);
});

Deno.test("TcpTransport.connect() closes a socket that opens just as it is given up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = new TcpTransport({ clock: systemClock });
  const controller = new AbortController();
  const reason = new Error("given up");
  const { port } = listener.addr;
  const dial = () => transport.connect({ hostname: "127.0.0.1", port }, { signal: controller.signal });
  assertEquals(await assertRejects(() => givingUp(() => controller.abort(reason), dial)), reason);
  await transport.drained();
  (await listener.accept()).close();
});

Deno.test("Doorbell.close() closes a socket that opens just as it is given up", async () => {
  const doorbell = new Doorbell();
  const closed = Promise.withResolvers<void>();
  givingUp(() => closed.resolve(doorbell.close()), () => assertEquals(doorbell.look(), undefined));
  await closed.promise;
});
