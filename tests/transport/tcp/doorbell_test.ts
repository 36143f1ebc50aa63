// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { Doorbell } from "../../../transport/tcp/doorbell.ts";

/** Asks until it is open. */
async function opened(doorbell: Doorbell): Promise<void> {
  while (doorbell.look() === undefined) await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("Doorbell.look() has what is ready read by the next turn", async () => {
  const doorbell = new Doorbell();
  assertEquals(doorbell.look(), undefined);
  await opened(doorbell);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using far = await listener.accept();
  for (let round = 0; round < 20; round++) {
    let isRead = false;
    const reading = far.read(new Uint8Array(8)).then(() => isRead = true);
    await doorbell.look();
    assert(!isRead);
    await near.write(new Uint8Array(1));
    await doorbell.look();
    await new Promise((resolve) => setImmediate(resolve));
    assert(isRead);
    await reading;
  }
  await doorbell.close();
});

Deno.test("Doorbell opens no socket once it is closed, until it is allowed to, and leaves none behind", async () => {
  const doorbell = new Doorbell();
  await doorbell.close();
  for (let turn = 0; turn < 200; turn++) {
    assertEquals(doorbell.look(), undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  doorbell.allow();
  await opened(doorbell);
  const looking = doorbell.look();
  await doorbell.close();
  await looking;
  assertEquals(doorbell.look(), undefined);
  doorbell.allow();
  assertEquals(doorbell.look(), undefined);
  // It opens now.
  await doorbell.close();
  assertEquals(doorbell.look(), undefined);
});

Deno.test({
  name: "Doorbell opens no socket, and asks no user, where the process may not use the network of its host",
  permissions: { net: ["127.0.0.1:1"] },
  async fn() {
    const doorbell = new Doorbell();
    for (let turn = 0; turn < 200; turn++) {
      assertEquals(doorbell.look(), undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await doorbell.close();
  },
});
