// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Two nodes that tell OpenTelemetry what they do: run by `otlp_test.ts`, until its input ends.
 *
 * @module
 */

import { startPeerService } from "../../mod.ts";
import { instrument } from "../../ops/mod.ts";

await using a = await startPeerService({ name: "a", preset: "local" });
await using b = await startPeerService({ name: "b", preset: "local" });
using _first = instrument(a);
using _second = instrument(b);
const tracer = Deno.telemetry.tracerProvider.getTracer("program");
b.register("double", async (n: number) => {
  await Promise.resolve();
  tracer.startSpan("work").end();
  return 2 * n;
});
await a.syncJoin(b.spec);
await a.call("b", "double", 4);
for await (const _ of Deno.stdin.readable);
