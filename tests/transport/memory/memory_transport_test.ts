// Copyright 2026 the Partisan peer-service authors. MIT license.

import { systemClock } from "../../../runtime/system.ts";
import { SimulatedWorld } from "../../../testing/simulated_world.ts";
import { MemoryNetwork } from "../../../transport/memory/memory_transport.ts";
import { testTransport } from "../transport_suite.ts";

testTransport("memory, real time", () => {
  const network = new MemoryNetwork({ clock: systemClock });
  return {
    near: network.transport("a"),
    far: network.transport("b"),
    address: { hostname: "b", port: 7 },
    drive: (work) => work,
  };
});

testTransport("memory, virtual time", () => {
  const world = new SimulatedWorld({ seed: 5 });
  return {
    near: world.node("a").transport,
    far: world.node("b").transport,
    address: { hostname: "b", port: 7 },
    drive: (work) => world.wait(work, 60_000),
  };
});
