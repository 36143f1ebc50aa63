// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { startPeerService } from "../../../manager/start_peer_service.ts";
import { denoRuntime } from "../../../transport/deno_runtime.ts";
import { systemClock } from "../../../runtime/system.ts";
import type { ByteStream } from "../../../transport/transport.ts";
import { UnixTransport } from "../../../transport/unix/unix_transport.ts";
import { onlyOf } from "../../values.ts";
import { transportSubject } from "../transport_subject.ts";
import { testTransport } from "../transport_suite.ts";

const anywhere = { hostname: "127.0.0.1", port: 0 };
const shared = Deno.makeTempDirSync();

function transport(directory: string): UnixTransport {
  return new UnixTransport({ clock: systemClock, directory });
}

testTransport("Unix", () => transportSubject(transport(shared)));

Deno.test("the sockets of the suite are gone when it is over", () => {
  for (const { name } of Deno.readDirSync(shared)) assertEquals([...Deno.readDirSync(`${shared}/${name}`)], []);
  Deno.removeSync(shared, { recursive: true });
});

async function withDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Opens a stream from one to the other, says something, and closes it. */
async function talk(near: UnixTransport, far: UnixTransport, hostname = "127.0.0.1"): Promise<void> {
  const accepted = Promise.withResolvers<ByteStream>();
  const listener = await far.listen({ hostname, port: 0 }, accepted.resolve);
  const stream = await near.connect({ hostname: "127.0.0.1", port: listener.address.port });
  const other = await accepted.promise;
  await stream.write(Uint8Array.of(7));
  assertEquals(await other.read(new Uint8Array(9)), 1);
  for (const one of [stream, other, listener]) one.close();
  await Promise.all([near.drained(), far.drained()]);
}

Deno.test("two ends find each other's socket, also one that listens on every address", async () => {
  await withDirectory(async (directory) => {
    for (const hostname of ["127.0.0.1", "0.0.0.0"]) {
      const [near, far] = [transport(directory), transport(directory)];
      await talk(near, far, hostname);
      assertEquals(far.stats, { accepted: 0, acceptedHere: 1, acceptErrors: 0 });
    }
  });
});

Deno.test("a directory of others, or that others may enter, is not used, and one that cannot be made leaves TCP", async () => {
  await withDirectory(async (directory) => {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "");
    const [open, foreign] = [`${directory}/open`, `${directory}/foreign`];
    for (const root of [open, foreign]) {
      await talk(transport(root), transport(root));
      assertEquals([...Deno.readDirSync(root)].length, 1);
    }
    for (const { name } of Deno.readDirSync(open)) await Deno.chmod(`${open}/${name}`, 0o755);
    // Only root can give directories away, and enter them afterwards.
    const isRoot = Deno.uid() === 0;
    if (isRoot) {
      for (const { name } of Deno.readDirSync(foreign)) await Deno.chown(`${foreign}/${name}`, 65_534, null);
    }
    for (const useless of isRoot ? [file, open, foreign] : [file, open]) {
      const [near, far] = [transport(useless), transport(useless)];
      await talk(near, far);
      assertEquals(far.stats.accepted, 1);
    }
  });
});

Deno.test("a socket that a process left over is in no node's way", async () => {
  await withDirectory(async (directory) => {
    const [near, far] = [transport(directory), transport(directory)];
    const first = await far.listen(anywhere, () => {});
    const namespace = onlyOf([...Deno.readDirSync(directory)]);
    const path = `${directory}/${namespace.name}/127.0.0.1-${first.address.port}`;
    assert((await Deno.stat(path)).isSocket);
    first.close();
    await far.drained();
    const left = Deno.listen({ transport: "unix", path });
    left.close();
    await assertRejects(() => near.connect(first.address), Error, "Cannot connect to");
    const accepted = Promise.withResolvers<ByteStream>();
    const again = await far.listen(first.address, accepted.resolve);
    const stream = await near.connect(first.address);
    for (const one of [stream, await accepted.promise, again]) one.close();
    await Promise.all([near.drained(), far.drained()]);
    assertEquals(far.stats.acceptedHere, 1);
  });
});

Deno.test("nodes on one host form a cluster over Unix sockets", async () => {
  await withDirectory(async (directory) => {
    const [one, other] = [transport(directory), transport(directory)];
    {
      await using a = await startPeerService({ name: "a", runtime: denoRuntime({ transport: one }) });
      await using b = await startPeerService({ name: "b", runtime: denoRuntime({ transport: other }) });
      a.register("double", (n: number) => n * 2);
      await b.syncJoin(a.spec);
      assertEquals(await b.call("a", "double", 21), 42);
    }
    await Promise.all([one.drained(), other.drained()]);
    assertEquals(one.stats.accepted + other.stats.accepted, 0);
    assert(one.stats.acceptedHere + other.stats.acceptedHere >= 2);
  });
});
