// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- Its output is what the test reads.

/** Does one of the things for which the documentation names permissions, and prints `done`. Arguments: the thing, and a folder. */

import { file } from "../../discovery/mod.ts";
import { Groups } from "../../groups/mod.ts";
import { fileStore, hyparview, startPeerService } from "../../mod.ts";
import { httpHandler, instrument, serveAdmin } from "../../ops/mod.ts";

const [what, folder = "."] = Deno.args;

/** A cluster of two with a secret, compression, groups, health and telemetry. */
async function runCluster(): Promise<void> {
  const options = {
    secret: "xV9s8Zq0LwN2kYtR7mB4cJ1p",
    channels: { default: { compression: true } },
    strategy: hyparview(),
  };
  await using a = await startPeerService({ ...options, name: "a" });
  await using b = await startPeerService({ ...options, name: "b" });
  await b.syncJoin(a.spec);
  using _telemetry = instrument(a);
  const changes = new Groups(b).watch("g");
  new Groups(a).join("g", { handler: (message) => message });
  await changes.next();
  await new Groups(b).call("g", "x".repeat(10_000), { pick: "random" });
  const health = await httpHandler(a)(new Request("http://localhost/ready"));
  if (health.status !== 200) throw new Error(`Not ready: ${await health.text()}`);
}

/** A node that finds another one by a file, first by a look-up, and once more because the file is watched. */
async function discover(): Promise<void> {
  await using node = await startPeerService({ name: "a", discovery: file(`${folder}/nodes`), log: false });
  await using other = await startPeerService({ name: "b", log: false });
  const found = Promise.withResolvers<void>();
  using _up = other.onUp("a", () => found.resolve());
  const [address] = other.spec.addresses;
  console.log(`${address?.hostname}:${address?.port}`);
  await found.promise;
  if (node.discovery().some(({ error }) => error !== null)) throw new Error("The file could not be read");
}

const THINGS: Readonly<Record<string, () => Promise<void>>> = {
  cluster: runCluster,
  async store() {
    await using _node = await startPeerService({ store: fileStore(`${folder}/store`) });
  },
  async admin() {
    await using node = await startPeerService({ name: "a" });
    await using _admin = await serveAdmin(node);
  },
  async adminAtPath() {
    await using node = await startPeerService({ name: "a" });
    await using _admin = await serveAdmin(node, { path: `${folder}/admin.sock` });
  },
  discovery: discover,
};

await THINGS[what ?? ""]?.();
console.log("done");
