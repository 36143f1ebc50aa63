// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { TRACE_BYTES, traceFromBytes, traceFromValue, traceToBytes } from "../../wire/trace_context.ts";
import { present } from "../values.ts";

const TRACE = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", traceFlags: 1 };

Deno.test("a trace context travels in 25 bytes", () => {
  const bytes = present(traceToBytes(TRACE));
  assertEquals(bytes.length, TRACE_BYTES);
  assertEquals(traceFromBytes(bytes), TRACE);
});

Deno.test("what is no trace context says nothing", () => {
  for (const broken of [{ traceId: "4bf9" }, { spanId: "" }, { traceId: TRACE.traceId.toUpperCase() }]) {
    assertEquals(traceToBytes({ ...TRACE, ...broken }), undefined);
  }
  const bytes = present(traceToBytes(TRACE));
  assertEquals(traceFromBytes(bytes.subarray(1)), undefined);
  assertEquals(traceFromBytes(bytes.slice().fill(0, 0, 16)), undefined);
  assertEquals(traceFromBytes(bytes.slice().fill(0, 16, 24)), undefined);
  for (const value of [null, undefined, "4bf92f", 25, [], new Uint8Array(24)]) {
    assertEquals(traceFromValue(value), undefined);
  }
});
