// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { objectWith } from "../runtime/object_with.ts";
import { checkOptions, type OptionKind, type OptionKinds } from "../runtime/options.ts";
import { MeteredNode } from "./metrics/metered_node.ts";
import type { TelemetryMeter, TelemetryTracer } from "./telemetry_types.ts";
import { TracedNode } from "./traced_node.ts";

/** The name under which meters and tracers are asked for. */
const SCOPE = "@partisan/peer-service";

/** Options of {@linkcode instrument}. */
export interface InstrumentOptions {
  /**
   * Receiver of metrics: a `Meter` of OpenTelemetry, of any implementation; `null` for nowhere.
   *
   * @default {that of Deno, when it runs with OTEL_DENO=true}
   */
  readonly meter?: TelemetryMeter | null | undefined;
  /**
   * Receiver of spans: a `Tracer` of OpenTelemetry, of any implementation; `null` for nowhere.
   *
   * @default {that of Deno, when it runs with OTEL_DENO=true}
   */
  readonly tracer?: TelemetryTracer | null | undefined;
}

const METER = objectWith(
  "a meter of OpenTelemetry",
  ...["createObservableCounter", "createObservableGauge", "createHistogram"],
);
const TRACER = objectWith("a tracer of OpenTelemetry", "startSpan", "startActiveSpan");

const KINDS: OptionKinds<InstrumentOptions> = {
  meter: orNull(METER),
  tracer: orNull(TRACER),
};

function orNull([expected, fits]: OptionKind): OptionKind {
  return [`${expected}, or null`, (value) => value === null || fits(value)];
}

/**
 * Hands what is measured about a node to OpenTelemetry: the instruments of `/metrics`, under the same names, each with the attribute
 * `partisan.node`. Without options it takes what Deno itself provides, which is sent where `OTEL_EXPORTER_OTLP_ENDPOINT` says; where Deno
 * runs without `OTEL_DENO=true`, nothing happens.
 *
 * With a tracer, each message to a handler has a span where it is sent (`send`, `call`, `broadcast`) and one where it is handled
 * (`process`), the second below the first, whatever nodes are on the way: the trace travels with the message to nodes that know of traces. While a handler runs its
 * span is the active one, so that what it does and sends is below it.
 *
 * @param node Any node, whatever its contract.
 * @returns Ends it when disposed. The end of the node ends it too.
 * @throws {TypeError} When the node is not one of this module, or an option can be none.
 *
 * @example A meter of one's own
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { instrument, type TelemetryCallback } from "@partisan/peer-service/ops";
 * import { assertEquals } from "@std/assert";
 *
 * const seen = new Map<string, number>();
 * const callbacks = new Map<string, TelemetryCallback>();
 * const observable = (name: string) => ({
 *   addCallback: (callback: TelemetryCallback) => void callbacks.set(name, callback),
 *   removeCallback: () => void callbacks.delete(name),
 * });
 * const meter = {
 *   createObservableCounter: observable,
 *   createObservableGauge: observable,
 *   createHistogram: () => ({ record: () => {} }),
 * };
 *
 * await using node = await startPeerService({ name: "a" });
 * using _instrumented = instrument(node, { meter });
 * callbacks.get("partisan_ready")?.({ observe: (value) => void seen.set("ready", value) });
 * assertEquals(seen.get("ready"), 1);
 * ```
 */
export function instrument(node: PeerServiceManager, options: InstrumentOptions = {}): Disposable {
  const { meter = denoMeter(), tracer = denoTracer() } = checkOptions("Cannot instrument", options, KINDS);
  const behind = PeerService.nodeOf(node);
  const parts = new DisposableStack();
  if (meter !== null) parts.use(new MeteredNode(behind, meter));
  if (tracer !== null) parts.use(new TracedNode(behind, tracer));
  const stopped = node.stopSignal;
  const end = () => parts.dispose();
  stopped.addEventListener("abort", end);
  parts.defer(() => stopped.removeEventListener("abort", end));
  if (stopped.aborted) end();
  return parts;
}

/** The meter that Deno provides; `null` where it runs without OpenTelemetry, which it says by throwing. */
function denoMeter(): TelemetryMeter | null {
  try {
    return Deno.telemetry.meterProvider.getMeter(SCOPE);
  } catch {
    return null;
  }
}

/** The tracer that Deno provides; `null` where it runs without OpenTelemetry: then there is no meter either, and a tracer only throws later. */
function denoTracer(): TelemetryTracer | null {
  return denoMeter() === null ? null : Deno.telemetry.tracerProvider.getTracer(SCOPE);
}
