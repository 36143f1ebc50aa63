// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Operation of a running node: health, metrics, members and events over HTTP, and the admin endpoint of the command `partisan`.
 *
 * @example A node that an orchestrator can look after
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { httpHandler } from "@partisan/peer-service/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, httpHandler(node));
 *
 * const ready = await fetch(`http://127.0.0.1:${server.addr.port}/ready`);
 * assertEquals(ready.status, 200);
 * await ready.body?.cancel();
 * ```
 *
 * @module
 */

export { type AdminOptions, type AdminServer, serveAdmin } from "./admin.ts";
export { type HealthCheck } from "./health.ts";
export { httpHandler, type HttpHandlerOptions } from "./http_handler.ts";
export { instrument, type InstrumentOptions } from "./instrument.ts";
export {
  type TelemetryAttributes,
  type TelemetryCallback,
  type TelemetryContext,
  type TelemetryHistogram,
  type TelemetryInstrumentOptions,
  type TelemetryMeter,
  type TelemetryObservable,
  type TelemetryObserver,
  type TelemetrySpan,
  type TelemetrySpanContext,
  type TelemetrySpanOptions,
  type TelemetryTracer,
} from "./telemetry_types.ts";
