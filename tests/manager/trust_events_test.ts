// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { HandshakeRefusedError, hyparview } from "../../mod.ts";
import type { Emit, TrustDetail } from "../../manager/events.ts";
import { TrustEvents } from "../../manager/trust_events.ts";
import { VirtualClock } from "../../testing/virtual_clock.ts";
import { scenario } from "./worlds.ts";
import { firstOf, present } from "../values.ts";

scenario(
  "A node tells which dialer it has refused, with reason and address, so that an attack can be seen",
  async (world) => {
    const a = await world.start("a", { secret: "correct horse battery" });
    const stranger = await world.start("b", { secret: "another horse battery" });
    const told: TrustDetail[] = [];
    a.addEventListener("trust", ({ detail }) => told.push(detail));
    for (let attempt = 0; attempt < 3; attempt++) {
      await assertRejects(() => stranger.syncJoin(a.spec), HandshakeRefusedError);
    }
    await world.until("it is told", () => told.length > 0);
    assertEquals(told.length, 1);
    assertEquals(firstOf(told).kind, "refused");
    assert(firstOf(told).reason.endsWith("it does not know the secret"), firstOf(told).reason);
    assert(present(firstOf(told).address).includes(":"));
  },
);

scenario("A node tells which node a refused dialer claims to be, as far as it said so", async (world) => {
  const a = await world.start("a", { admit: ({ name }) => name !== "mallory" });
  const told: TrustDetail[] = [];
  a.addEventListener("trust", ({ detail }) => told.push(detail));
  const mallory = await world.start("mallory");
  await assertRejects(() => mallory.syncJoin(a.spec), HandshakeRefusedError, "admit");
  const other = await world.start("c", { strategy: hyparview() });
  await assertRejects(() => other.syncJoin(a.spec), HandshakeRefusedError, "strategy");
  const elsewhere = await world.start("d", { cluster: "elsewhere" });
  await assertRejects(() => elsewhere.syncJoin(a.spec), HandshakeRefusedError, "cluster");
  await world.until("all is told", () => told.length === 3);
  assertEquals(told.map(({ kind, node }) => [kind, node]), [
    ["refused", "mallory"],
    ["refused", "c"],
    // It is refused for its hello, which tells no name.
    ["refused", undefined],
  ]);
  await world.until("none of them is a member", () => a.members().length === 1);
});

scenario("A weak secret is warned of, at the start and when it is updated, and never shown", async (world) => {
  const warnings: string[] = [];
  const a = await world.start("a", { secret: ["correct horse battery", "hunter2"] });
  a.addEventListener("warning", ({ detail }) => warnings.push(`${detail.code}: ${detail.message}`));
  await world.until("it is warned of", () => warnings.length > 0);
  const advice = 'make one with "openssl rand -base64 24"';
  const first = `weak-secret: The secret has 7 characters, expected at least 16 (number 2 of 2): ${advice}`;
  assertEquals(warnings.splice(0), [first]);
  await a.updateSecrets("swordfish");
  assertEquals(warnings.splice(0), [`weak-secret: The secret has 9 characters, expected at least 16: ${advice}`]);
  await a.updateSecrets("correct horse battery");
  assertEquals(warnings, []);
});

Deno.test("TrustEvents tells each host and reason once in ten seconds, and of no more than a hundred in all", () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const emit: Emit = (_type, detail) => void told.push(`${(detail as TrustDetail).address}`);
  const events = new TrustEvents(clock, emit);
  for (let port = 1; port <= 50; port++) events.refused("secret", "Cannot accept", { hostname: "10.0.0.1", port });
  events.refused("cluster", "Cannot accept", { hostname: "10.0.0.1", port: 7 });
  assertEquals(told.splice(0), ["10.0.0.1:1", "10.0.0.1:7"]);
  for (let host = 2; host < 300; host++) {
    events.refused("secret", "Cannot accept", { hostname: `10.0.0.${host}`, port: 1 });
  }
  assertEquals(told.splice(0).length, 98);
  clock.moveTo(10_000);
  events.refused("secret", "Cannot accept", { hostname: "10.0.0.1", port: 9 });
  // Not a matter of trust.
  events.refused("duplicate", "Cannot accept", { hostname: "10.0.0.1", port: 10 });
  assertEquals(told, ["10.0.0.1:9"]);
});

Deno.test("TrustEvents tells of a host that has to wait for others, at a bounded rate", () => {
  const clock = new VirtualClock();
  const told: TrustDetail[] = [];
  const emit: Emit = (_type, detail) => void told.push(detail as TrustDetail);
  const events = new TrustEvents(clock, emit);
  for (let port = 1; port <= 1_000; port++) {
    events.refused("overloaded", "Cannot accept: too many", { hostname: "10.0.0.1", port });
  }
  assertEquals(told, [{ kind: "rate-limited", reason: "Cannot accept: too many", address: "10.0.0.1:1" }]);
});
