// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { type PeerServiceOptions, startPeerService, type Warning } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { reachable } from "./reachable.ts";
import { scenario } from "./worlds.ts";
import { present } from "../values.ts";

/** Starts a node, and waits until it has said what it warns of at the start. */
async function warningsOf(options: PeerServiceOptions) {
  await using node = await startPeerService({ name: "a", log: false, ...options });
  const warnings: Warning[] = [];
  node.addEventListener("warning", ({ detail }) => warnings.push(detail));
  await new Promise<void>((resolve) => setTimeout(resolve, 1));
  return { codes: warnings.map(({ code }) => code), posture: node.stats().posture, message: warnings[0]?.message };
}

Deno.test("A node that listens beyond loopback without secret and TLS warns of that once, at the start", async () => {
  const beyond = { listen: "0.0.0.0:0", advertise: "127.0.0.1:9" } as const;
  const open = await warningsOf(beyond);
  assertEquals(open.codes, ["open-cluster"]);
  assert(present(open.message).startsWith("The node listens beyond loopback, at 0.0.0.0, without"), open.message);
  assertEquals(open.posture, { trust: "open", beyondLoopback: true });

  const secret = await warningsOf({ ...beyond, secret: "correct horse battery" });
  assertEquals([secret.codes, secret.posture], [[], { trust: "secret", beyondLoopback: true }]);
  const loopback = await warningsOf({ listen: ["127.0.0.1:0", "localhost:0"] });
  assertEquals([loopback.codes, loopback.posture], [[], { trust: "open", beyondLoopback: false }]);
});

scenario("Nothing that can be reached from a node shows a secret, or a key made of one", async (world) => {
  const secret = "not for other eyes";
  const options = { secret: [secret, `${secret} again`] };
  const [a] = await world.cluster(["a", "b"], options);
  await a.updateSecrets([`${secret} anew`, ...options.secret]);
  const node = PeerService.nodeOf(a);
  const keys = new Set([...node.context.members.values()].map(({ key }) => `${key}`));
  for (const [path, value] of reachable([a, node, node.context, node.settings])) {
    if (typeof value === "string") assertFalse(value.includes(secret), `${path} is a secret`);
    const isPublic = value instanceof Uint8Array && keys.has(`${value}`);
    if (value instanceof Uint8Array) assert(isPublic || value.length !== 32, `${path} may be a key`);
  }
  for (const part of [a, node, node.settings, node.context]) {
    const shown = `${JSON.stringify({ part })} ${Deno.inspect(part, { depth: 20, showHidden: true, getters: true })}`;
    assertFalse(shown.includes(secret));
  }
  assertEquals(structuredClone({ ...node.settings.secrets }), {});
});
