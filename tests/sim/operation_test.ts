// Copyright 2026 the Partisan peer-service authors. MIT license.

import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { type Operation, Operator } from "./operation.ts";
import { Run } from "./run.ts";

Deno.test("Operator.undo() lets nodes that left at the same time join the others, and not only each other", async () => {
  await using cluster = await SimulatedCluster.start({ nodes: ["a", "b", "c"], latency: 1 });
  const operator = new Operator(new Run(cluster));
  const operations = ["a", "b"].map((node): Operation => ({ kind: "leave", node, at: 0, duration: 0 }));
  for (const operation of operations) operator.begin(operation);
  await cluster.wait(Promise.all(operations.map((operation) => operator.undo(operation))));
  await cluster.settled();
});
