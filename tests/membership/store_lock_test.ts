// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { fileStore, HandshakeRefusedError, startPeerService } from "../../mod.ts";
import { StoreLock } from "../../membership/store_lock.ts";

/** Runs `body` in a folder of its own. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Of two nodes with one store the second is told so when it starts, and may start once the first has stopped", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a.snapshot`;
    const first = await startPeerService({ name: "a", store: fileStore(path) });
    const kept = await Deno.readFile(path);
    for (const again of [{ name: "a" }, { name: "b" }]) {
      const error = await assertRejects(() => startPeerService({ ...again, store: fileStore(path) }), Deno.errors.Busy);
      const advice = "another node uses it; stop that one, or give each node a store of its own";
      assertEquals(error.message, `Cannot use the store "${path}": ${advice}`);
    }
    assertEquals(await Deno.readFile(path), kept);
    await first.stop();
    // A node that does not start leaves the store to others.
    await assertRejects(() => startPeerService({ name: "b", store: fileStore(path) }), TypeError, `belongs to "a"`);
    await using second = await startPeerService({ name: "a", store: fileStore(path) });
    assertEquals(second.name, "a");
  });
});

Deno.test("StoreLock is free again once the process that held it was killed", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/lock`;
    const program = `using file = Deno.openSync(${JSON.stringify(path)}, { write: true, create: true });
      file.lockSync(true);
      console.log("locked");
      await new Promise(() => setInterval(() => {}, 1_000));`;
    const args = ["eval", program];
    await using child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    const lock = new StoreLock(path);
    await assertRejects(() => lock.take(), Deno.errors.Busy);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await lock.take();
    await assertRejects(() => lock.take(), Deno.errors.Busy);
    lock.release();
    lock.release();
    await lock.take();
    lock.release();
  });
});

Deno.test("StoreLock follows no link", async () => {
  await inFolder(async (folder) => {
    await Deno.symlink(`${folder}/elsewhere`, `${folder}/lock`);
    await assertRejects(() => new StoreLock(`${folder}/lock`).take(), TypeError, "it is no file");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["lock"]);
  });
});

for (const options of [{}, { secret: "correct horse battery" }]) {
  const what = "secret" in options ? "with a secret" : "in an open cluster";
  Deno.test(`A copy of a store that runs at the same time as the node itself is refused, and both sides are told, ${what}`, async () => {
    await inFolder(async (folder) => {
      const start = (name: string, file: string) =>
        startPeerService({ preset: "local", log: false, name, store: fileStore(`${folder}/${file}`), ...options });
      await using a = await start("a", "a");
      await using b = await start("b", "b");
      await b.syncJoin(a.spec);
      await Deno.copyFile(`${folder}/a`, `${folder}/copy`);
      const told = Promise.withResolvers<string>();
      b.addEventListener("trust", ({ detail }) => told.resolve(detail.reason));
      await using copy = await start("a", "copy");
      const reason = 'Cannot accept "a": another living node has the name; choose a different one';
      await assertRejects(() => copy.syncJoin(b.spec), HandshakeRefusedError, reason);
      await assertRejects(() => copy.syncJoin(a.spec), Error);
      assertEquals(await told.promise, reason);
      assertEquals([a.isConnected("b"), b.members()], [true, ["a", "b"]]);
    });
  });
}
