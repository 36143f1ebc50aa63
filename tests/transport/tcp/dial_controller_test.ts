// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../runtime/system.ts";
import { dialController } from "../../../transport/tcp/dial_controller.ts";
import { Doorbell } from "../../../transport/tcp/doorbell.ts";
import { TcpTransport } from "../../../transport/tcp/tcp_transport.ts";

/** Has each dial given up just as its socket has opened, which `Deno.connect` tells by its signal alone. The sanitizer finds what stays open. */
async function givingUp(giveUp: () => unknown, run: () => Promise<void>): Promise<void> {
  const connect = Deno.connect;
  const replaced = async ({ signal, ...address }: Deno.ConnectOptions) => {
    const conn = await connect(address);
    giveUp();
    signal?.throwIfAborted();
    return conn;
  };
  try {
    Object.assign(Deno, { connect: replaced });
    await run();
  } finally {
    Object.assign(Deno, { connect });
  }
}

Deno.test("dialController() has Deno.connect return what has opened although the dial was given up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = dialController();
  await givingUp(() => controller.abort(), async () => {
    const { port } = listener.addr;
    using _far = await Deno.connect({ hostname: "127.0.0.1", port, signal: controller.signal });
    assert(controller.signal.aborted);
    (await listener.accept()).close();
  });
});

Deno.test("dialController() has Deno.connect stop what has not opened", async () => {
  const controller = dialController();
  // A network that RFC 5737 keeps for documents: nothing answers there.
  const dial = Deno.connect({ hostname: "192.0.2.1", port: 9, signal: controller.signal });
  controller.abort();
  await assertRejects(() => dial);
});

Deno.test("TcpTransport.connect() closes a socket that opens just as it is given up", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const transport = new TcpTransport({ clock: systemClock });
  const controller = new AbortController();
  const reason = new Error("given up");
  await givingUp(() => controller.abort(reason), async () => {
    const { port } = listener.addr;
    const dial = transport.connect({ hostname: "127.0.0.1", port }, { signal: controller.signal });
    assertEquals(await assertRejects(() => dial), reason);
  });
  await transport.drained();
  (await listener.accept()).close();
  listener.close();
});

Deno.test("Doorbell.close() closes a socket that opens just as it is given up", async () => {
  const doorbell = new Doorbell();
  const closed = Promise.withResolvers<void>();
  await givingUp(() => closed.resolve(doorbell.close()), async () => {
    assertEquals(doorbell.look(), undefined);
    await closed.promise;
  });
});
