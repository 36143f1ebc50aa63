// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { PeerServiceOptions } from "../../mod.ts";
import { allowancesFrom } from "../../manager/allowances.ts";
import { settingsFrom } from "../../manager/settings.ts";
import { denoRuntime } from "../../transport/deno_runtime.ts";
import { checkName } from "../../wire/node_spec_check.ts";
import { scenario } from "./worlds.ts";
import { entryOf } from "../values.ts";

Deno.test("Faults may be injected by others only with the preset local and in simulations, unless it is said otherwise", () => {
  const runtime = denoRuntime();
  const allowed = (options: PeerServiceOptions) => settingsFrom(options, runtime).allow.faultInjection;
  assertEquals([allowed({}), allowed({ preset: "wan" }), allowed({ preset: "local" })], [false, false, true]);
  assertEquals(allowed({ runtime }), true);
  assertEquals(allowed({ runtime, allow: { faultInjection: false } }), false);
  assertEquals(allowed({ allow: { faultInjection: true } }), true);
});

Deno.test("The option allow is checked", () => {
  assertThrows(() => allowancesFrom({ removal: 1 as unknown as boolean }, false), TypeError, '"allow.removal" is 1');
  assertThrows(() => allowancesFrom({ addresses: ["10.0.0.0/99"] }, false), TypeError, "allow.addresses");
});

scenario("A node that lets no node inject faults stays connected, and says why to who asked", async (world) => {
  const [a, b, c] = await world.cluster(["a", "b", "c"], { allow: { faultInjection: false } });
  await assertRejects(() => a.injectPartition("b", 0), DOMException, "lets no other node inject faults");
  assertEquals([a, b, c].map((node) => node.partitions()), [[], [], []]);
  // Its own user always may, and the marks that go to others are ignored there.
  const reference = await a.injectPartition("a", 3);
  assertEquals(a.partitions().map(({ peer }) => peer), ["b", "c"]);
  assertEquals([b.partitions(), c.partitions()], [[], []]);
  await b.forwardMessage("c", "none", 1);
  a.resolvePartition(reference);
  assertEquals(a.partitions(), []);
  world.errors.length = 0;
});

scenario("A node dials no address that it may not, whichever node names it", async (world) => {
  const a = await world.start("a", { allow: { addresses: ["192.0.2.0/24"] } });
  const b = await world.start("b");
  const transport = entryOf(world.transports, "a");
  await assertRejects(() => a.syncJoin(b.spec, { signal: AbortSignal.timeout(300) }));
  assertEquals(transport.dials, 0);
  await b.syncJoin(a.spec);
  assert(a.member("b") && a.isConnected("b"));
  assertEquals(transport.dials, 0);
}, ["TCP"]);

Deno.test("A name that cannot be printed is none", () => {
  for (const name of ["a\r\nQUIT", "\0", "a\u2028b", "\u202egnp.exe", "\ud800", "\u0085", "tab\t"]) {
    assertThrows(() => checkName(name, "name"), RangeError, "cannot be printed");
    assertThrows(() => settingsFrom({ name }, denoRuntime()), TypeError, "cannot be printed");
  }
  for (const name of ["node 1@10.0.0.1", "Grüße", "名前", "👩‍🚀", "__proto__"]) {
    assertEquals(checkName(name, "name"), name);
  }
});
