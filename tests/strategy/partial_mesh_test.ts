// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { clientServer, staticOverlay } from "@partisan/peer-service/strategy";
import { StrategySimulator } from "@partisan/peer-service/testing";
import { present } from "../values.ts";

/** Three servers, one of which does not say so, and clients. */
const ROLES: Readonly<Record<string, Record<string, unknown>>> = {
  a: { tag: "server" },
  b: { tag: "server" },
  c: {},
  x: { tag: "client" },
  y: { tag: "client" },
  z: { tag: "client" },
};
const STARTED = ["a", "b", "c", "x", "y"];

function roles(): StrategySimulator {
  const cluster = new StrategySimulator(clientServer(), { metadata: (name) => present(ROLES[name]) });
  for (const name of STARTED) cluster.start(name, { join: name === "a" ? undefined : "a" });
  cluster.run(10_000);
  return cluster;
}

Deno.test("clientServer(): clients keep connections with all servers only, servers with everyone", () => {
  const cluster = roles();
  assertEquals(cluster.neighbours("x"), ["a", "b", "c"]);
  assertEquals(cluster.neighbours("y"), ["a", "b", "c"]);
  for (const server of ["a", "b", "c"]) {
    assertEquals(cluster.neighbours(server), STARTED.filter((name) => name !== server));
  }
});

Deno.test("clientServer(): everyone hears over the servers who leaves, another client, too", () => {
  const cluster = roles();
  cluster.leave("x");
  cluster.run(10_000);
  for (const name of cluster.alive) assertEquals(cluster.members(name), ["a", "b", "c", "y"]);
});

Deno.test("clientServer(): a client that joins through another client finds the servers", () => {
  const cluster = roles();
  cluster.start("z", { join: "x" });
  cluster.run(10_000);
  assertEquals(cluster.neighbours("z"), ["a", "b", "c"]);
  assertEquals(cluster.members("y"), [...STARTED, "z"]);
});

Deno.test("staticOverlay(): connections are exactly those given, in either order of the names", () => {
  const cluster = new StrategySimulator(staticOverlay([["a", "b"], ["c", "b"], ["c", "d"], ["d", "nobody"]]));
  for (const name of ["a", "b", "c", "d"]) cluster.start(name, { join: name === "a" ? undefined : "a" });
  cluster.run(20_000);
  const links = ["a", "b", "c", "d"].map((name) => cluster.neighbours(name).join());
  assertEquals(links, ["b", "a,c", "b,d", "c"]);
  for (const name of cluster.alive) assertEquals(cluster.members(name), ["a", "b", "c", "d"]);
  assert(cluster.isConnected());
});

Deno.test("staticOverlay(): neighbours can be told by a function", () => {
  const ring = (name: string) => [`n${(Number(name.slice(1)) + 1) % 5}`];
  const cluster = new StrategySimulator(staticOverlay(ring));
  for (let index = 0; index < 5; index++) cluster.start(`n${index}`, { join: index > 0 ? "n0" : undefined });
  cluster.run(20_000);
  assertEquals(cluster.neighbours("n0"), ["n1", "n4"]);
  assertEquals(cluster.neighbours("n3"), ["n2", "n4"]);
});
