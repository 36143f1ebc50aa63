// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { Doorbell } from "../../../transport/tcp/doorbell.ts";
import { withDeno } from "./replaced_deno.ts";

/** Asks until it is open, for some thousand turns at most. */
async function opened(doorbell: Doorbell): Promise<void> {
  for (let turn = 0; doorbell.look() === undefined; turn++) {
    assert(turn < 10_000, "it does not open");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Asks often enough for it to open, if it does. */
async function assertStaysShut(doorbell: Doorbell): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    assertEquals(doorbell.look(), undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Has a function of Deno's replaced while it is opened. */
function lookWith<Name extends "listen" | "connect">(
  doorbell: Doorbell,
  name: Name,
  replace: (original: typeof Deno[Name]) => unknown,
): void {
  withDeno(name, replace, () => assertEquals(doorbell.look(), undefined));
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
  let listening = 0;
  lookWith(doorbell, "listen", () => () => void listening++);
  assertEquals(listening, 0);
  await assertStaysShut(doorbell);
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
  doorbell.allow();
  await opened(doorbell);
  await doorbell.close();
});

Deno.test("Doorbell is given up when something else has ended one of its sockets, and no look at it waits", async () => {
  const doorbell = new Doorbell();
  const pair: Promise<Deno.Conn>[] = [];
  lookWith(doorbell, "connect", (connect) => (options: Deno.ConnectOptions) => {
    pair.push(connect(options));
    return pair[0];
  });
  await opened(doorbell);
  await doorbell.look();
  for (const near of await Promise.all(pair)) await near.closeWrite();
  await doorbell.look();
  await assertStaysShut(doorbell);
  await doorbell.close();
});

Deno.test("Doorbell.look() ends for all that look at a time: several nodes may share a transport", async () => {
  const doorbell = new Doorbell();
  await opened(doorbell);
  for (let round = 0; round < 20; round++) {
    const looks = [doorbell.look(), doorbell.look()];
    await Promise.resolve();
    await Promise.all([...looks, doorbell.look()]);
  }
  const last = [doorbell.look(), doorbell.look()];
  await doorbell.close();
  await Promise.all(last);
});

Deno.test("Doorbell opens although it was closed while it was opening, once it is allowed to again", async () => {
  const doorbell = new Doorbell();
  assertEquals(doorbell.look(), undefined);
  const closed = doorbell.close();
  doorbell.allow();
  await closed;
  await opened(doorbell);
  await doorbell.close();
});

Deno.test("Doorbell leaves no socket behind where the system does not let it accept", async () => {
  const listeners: Deno.TcpListener[] = [];
  const doorbell = new Doorbell();
  lookWith(doorbell, "listen", (listen) => (options: Deno.TcpListenOptions) => {
    const listener = listen(options);
    // As where there are too few file descriptors.
    Object.assign(listener, { accept: () => Promise.reject(new Deno.errors.ConnectionRefused("No descriptor")) });
    listeners.push(listener);
    return listener;
  });
  await assertStaysShut(doorbell);
  await doorbell.close();
  assertEquals(listeners.length, 1);
});

Deno.test({
  name: "Doorbell opens no socket, and asks no user, where the process may not use the network of its host",
  permissions: { net: ["127.0.0.1:1"] },
  async fn() {
    const doorbell = new Doorbell();
    let listening = 0;
    lookWith(doorbell, "listen", () => () => void listening++);
    await assertStaysShut(doorbell);
    assertEquals(listening, 0);
    await doorbell.close();
  },
});
