// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SimulatedCluster } from "@partisan/peer-service/testing";
import { assertEquals } from "@std/assert";
import { RateLimiter } from "../../examples/rate_limiter.ts";

Deno.test("The rate limiter counts a key in one place, whichever node is asked, also when nodes die", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c", "d"] });
  const limiters = cluster.nodes.map((node) => new RateLimiter(node, { rate: 1, burst: 4 }));
  await cluster.advance(5_000);
  const allowed = async () => {
    const answers = await cluster.wait(Promise.all(limiters.flatMap((one) => [one.allows("ada"), one.allows("ada")])));
    return answers.filter(Boolean).length;
  };
  assertEquals(await allowed(), 4);
  assertEquals(await allowed(), 0);
  await cluster.advance(2_000);
  assertEquals(await allowed(), 2);
  cluster.crash("d");
  limiters.pop();
  await cluster.advance(20_000);
  assertEquals(await allowed(), 4);
});
