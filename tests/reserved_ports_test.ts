// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { ReservedPorts } from "./reserved_ports.ts";

/** As many as can be had. */
function takeAll(ports: ReservedPorts): number[] {
  const taken: number[] = [];
  assertThrows(
    () => {
      for (;;) taken.push(ports.take());
    },
    Error,
    "is used up",
  );
  return taken;
}

Deno.test("ReservedPorts gives every port to one owner, below those that the system gives away", () => {
  using one = new ReservedPorts();
  using other = new ReservedPorts();
  const taken = [...takeAll(one), ...takeAll(other)];
  assertEquals(new Set(taken).size, taken.length);
  assert(taken.length > 32 && taken.every((port) => port >= 10_000 && port < 32_768));
});

Deno.test("ReservedPorts passes over a port that another node listens on", () => {
  using ports = new ReservedPorts();
  const next = ports.take() + 1;
  using _ = Deno.listen({ hostname: "127.0.0.1", port: next });
  assertFalse(ports.take() === next);
});
