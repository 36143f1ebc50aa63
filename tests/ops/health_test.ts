// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Address, type PeerServiceManager, startPeerService } from "../../mod.ts";
import { httpHandler } from "../../ops/mod.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { scenario } from "../manager/worlds.ts";
import { firstOf, present } from "../values.ts";

interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

/** A node that is well is not to be unready because other tests hold the processor. */
const PATIENT = { heartbeat: { missed: 50 } };

/** Asks a probe. */
async function probe(node: PeerServiceManager, path: string): Promise<[status: number, failed: string[]]> {
  const response = await httpHandler(node)(new Request(`http://localhost${path}`));
  const checks: Check[] = await response.json();
  return [response.status, checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)];
}

scenario("a node that was told to join no node is ready: it is the first", async (world) => {
  const a = await world.start("a", PATIENT);
  for (const path of ["/startup", "/ready", "/alive"]) assertEquals(await probe(a, path), [200, []]);
});

scenario("a node is not ready while it tries to join, and is once it has", async (world) => {
  const [a, b] = [await world.start("a", PATIENT), await world.start("b", PATIENT)];
  const joined = b.syncJoin(a.spec);
  assertEquals(await probe(b, "/ready"), [503, ["joined: it was told to join, and has not yet"]]);
  assertEquals((await probe(b, "/startup"))[0], 503);
  assertEquals(await probe(b, "/alive"), [200, []]);
  await joined;
  assertEquals(await probe(b, "/ready"), [200, []]);
});

scenario("a node that could not join is not ready, and says why, until another one joins it", async (world) => {
  const [a, b, c] = [
    await world.start("a", { ...PATIENT, cluster: "blue" }),
    await world.start("b", PATIENT),
    await world.start("c", PATIENT),
  ];
  await assertRejects(() => b.syncJoin(a.spec));
  const [status, [why]] = await probe(b, "/ready");
  assertEquals(status, 503);
  assertStringIncludes(present(why), 'cluster is "default", expected "blue"');
  await c.syncJoin(b.spec);
  assertEquals(await probe(b, "/ready"), [200, []]);
});

scenario("a node with sources is ready once they have said that no other node is there", async (world) => {
  const answer = Promise.withResolvers<Address[]>();
  const b = await world.start("b", { ...PATIENT, discovery: { name: "registry", lookup: () => answer.promise } });
  assertEquals(await probe(b, "/ready"), [503, ['joined: "registry" has not answered yet']]);
  answer.resolve([...b.spec.addresses]);
  await world.until(
    "it has answered",
    () => firstOf(b.discovery()).addresses.some(({ outcome }) => outcome === "self"),
  );
  assertEquals(await probe(b, "/ready"), [200, []]);
});

scenario("a node whose source fails, or names a node that does not answer, is not ready", async (world) => {
  const nowhere = { hostname: world.kind === "TCP" ? "127.0.0.1" : "nowhere", port: 1 };
  const a = await world.start("a", {
    discovery: { name: "down", lookup: () => Promise.reject(new Error("no route")) },
  });
  const b = await world.start("b", {
    ...PATIENT,
    discovery: { name: "stale", lookup: () => Promise.resolve([nowhere]) },
  });
  await world.until("both were asked", () =>
    firstOf(a.discovery()).error !== null &&
    firstOf(b.discovery()).addresses.some(({ outcome }) => outcome !== "trying"));
  assertEquals(await probe(a, "/ready"), [503, ['joined: "down" cannot be asked: no route']]);
  const [status, [why]] = await probe(b, "/ready");
  assertEquals(status, 503);
  assertStringIncludes(present(why), `"stale" names ${nowhere.hostname}:1, which was not joined`);
});

scenario("a node that drains or has left is not ready, and one that was stopped is not alive", async (world) => {
  const [a, b] = await world.cluster(["a", "b"], PATIENT);
  const startup = httpHandler(a);
  assertEquals((await startup(new Request("http://localhost/startup"))).status, 200);
  await a.leave();
  assertEquals(await probe(a, "/ready"), [503, ["joined: it has left its cluster"]]);
  assertEquals((await startup(new Request("http://localhost/startup"))).status, 200, "it has started for good");

  const hold = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  b.register("slow", () => (begun.resolve(), hold.promise));
  b.castMessage("b", "slow", 1);
  await begun.promise;
  const drained = b.drain();
  assert((await probe(b, "/ready"))[1].includes("not-draining: the node drains: it takes no new work"));
  assertEquals(await probe(b, "/alive"), [200, []]);
  hold.resolve();
  await drained;
  assertEquals(await probe(b, "/alive"), [503, ["running: the node was stopped"]]);
});

Deno.test("a node whose event loop was held for as long as others bear is not ready, and is again soon", async () => {
  const world = new SimulatedWorld({ seed: "stalls" });
  await world.wait(
    (async () => {
      await using node = await startPeerService({ name: "a", preset: "local", runtime: world.node("a") });
      const { liveness, context } = PeerService.nodeOf(node);
      const pass = (ms: number) => new Promise<void>((resolve) => void world.schedule(ms, resolve));
      await pass(1_000);
      assertEquals(await probe(node, "/ready"), [200, []]);
      // A timer that is overdue is a loop that is held.
      liveness.delay.due(context.runtime.clock.now() - 3_000);
      const [status, [why]] = await probe(node, "/ready");
      assertEquals(status, 503);
      assertStringIncludes(present(why), "event-loop: the event loop was held for 3000 ms");
      assertStringIncludes(firstOf((await probe(node, "/alive"))[1]), "heartbeat: ");
      await pass(1_000);
      assertEquals((await probe(node, "/alive"))[0], 200);
      assertEquals((await probe(node, "/ready"))[0], 503);
      await pass(10_000);
      assertEquals(await probe(node, "/ready"), [200, []]);
    })(),
    60_000,
  );
});
