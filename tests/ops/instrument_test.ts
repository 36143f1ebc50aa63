// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { deadline } from "@std/async";
import type { PeerServiceManager } from "../../mod.ts";
import {
  instrument,
  type TelemetryAttributes,
  type TelemetryCallback,
  type TelemetryMeter,
  type TelemetryTracer,
} from "../../ops/mod.ts";
import { INSTRUMENTS } from "../../ops/metrics/catalogue.ts";
import { scenario } from "../manager/worlds.ts";
import { attributeOf, exporting } from "./otlp_receiver.ts";
import { entryOf, firstOf, present } from "../values.ts";

/** Keeps what it is told. */
class KeptMeter implements TelemetryMeter {
  readonly types = new Map<string, string>();
  readonly callbacks = new Map<string, Set<TelemetryCallback>>();
  readonly recorded: { name: string; value: number; attributes: TelemetryAttributes | undefined }[] = [];

  createObservableCounter(name: string) {
    return this.#observable("counter", name);
  }

  createObservableGauge(name: string) {
    return this.#observable("gauge", name);
  }

  createHistogram(name: string) {
    this.types.set(name, "histogram");
    return {
      record: (value: number, attributes?: TelemetryAttributes) => void this.recorded.push({ name, value, attributes }),
    };
  }

  /** Values that an observable instrument gives now. */
  collect(name: string): { value: number; attributes: TelemetryAttributes | undefined }[] {
    const found: { value: number; attributes: TelemetryAttributes | undefined }[] = [];
    for (const callback of this.callbacks.get(name) ?? []) {
      callback({ observe: (value, attributes) => void found.push({ value, attributes }) });
    }
    return found;
  }

  #observable(type: string, name: string) {
    this.types.set(name, type);
    const callbacks = new Set<TelemetryCallback>();
    this.callbacks.set(name, callbacks);
    return {
      addCallback: (callback: TelemetryCallback) => void callbacks.add(callback),
      removeCallback: (callback: TelemetryCallback) => void callbacks.delete(callback),
    };
  }
}

scenario("instrument() hands every instrument to a meter, under its name and type", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const meter = new KeptMeter();
  using _instrumented = instrument(a, { meter });
  assertEquals([...meter.types], INSTRUMENTS.map(({ name, type }) => [name, type]));
  const members = meter.collect("partisan_members");
  assertEquals(members.map(({ value, attributes }) => [value, attributes]), [
    [2, { status: "up", "partisan.node": "a" }],
    [0, { status: "suspect", "partisan.node": "a" }],
    [0, { status: "down", "partisan.node": "a" }],
  ]);
  b.register("double", (n: number) => 2 * n);
  await a.call("b", "double", 4);
  const call = firstOf(meter.recorded.filter(({ name }) => name === "partisan_call_seconds"));
  assertEquals(call.attributes, { outcome: "ok", "partisan.node": "a" });
  assertEquals(call.value > 0 && call.value < 30, true);
});

scenario("what instrument() began ends when it is disposed, and when the node stops", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("double", (n: number) => 2 * n);
  for (const end of [(instrumented: Disposable) => instrumented[Symbol.dispose](), () => a.stop()]) {
    const meter = new KeptMeter();
    const instrumented = instrument(a, { meter });
    await a.call("b", "double", 4);
    assertGreater(meter.recorded.length, 0);
    await end(instrumented);
    const { length } = meter.recorded;
    await a.call("b", "double", 4).catch(() => {});
    assertEquals([meter.recorded.length, meter.collect("partisan_members")], [length, []]);
    instrumented[Symbol.dispose]();
  }
});

scenario("instrument() without a meter does nothing where Deno runs without OpenTelemetry", async (world) => {
  const a = await world.start("a");
  instrument(a)[Symbol.dispose]();
  instrument(a, { meter: null })[Symbol.dispose]();
  assertThrows(() => instrument({} as PeerServiceManager), TypeError);
}, ["memory"]);

Deno.test("what Deno exports over OTLP is what /metrics serves", () =>
  exporting(async (receiver) => {
    const observed = INSTRUMENTS.filter(({ type }) => type !== "histogram");
    const { metrics } = receiver;
    const histogram = () => metrics.get("partisan_call_seconds")?.histogram?.dataPoints ?? [];
    const isThere = () => observed.every(({ name }) => metrics.has(name)) && histogram().length > 0;
    await deadline(receiver.until(isThere), 30_000);

    for (const { name, type, unit, help } of observed) {
      const metric = entryOf(metrics, name);
      assertEquals([metric.unit, metric.description], [unit, `${help}.`], name);
      assertEquals(metric.sum?.isMonotonic ?? false, type === "counter", name);
      const points = metric.sum?.dataPoints ?? metric.gauge?.dataPoints ?? [];
      const nodes = new Set(points.map(({ attributes }) => attributeOf(attributes, "partisan.node")));
      assertEquals([...nodes].sort(), ["a", "b"], name);
    }
    await deadline(
      receiver.until(() =>
        present(entryOf(metrics, "partisan_members").gauge).dataPoints.some(({ attributes, asDouble, asInt }) =>
          attributeOf(attributes, "status") === "up" && Number(asDouble ?? asInt) === 2
        )
      ),
      30_000,
    );
    const calls = firstOf(histogram());
    assertEquals(attributeOf(calls.attributes, "outcome"), "ok");
    assertEquals(Number(calls.count), 1);
    assertEquals(calls.explicitBounds?.slice(0, 4), [0.0005, 0.001, 0.0025, 0.005]);
  }));

/** Span as `@opentelemetry/api` declares it, as far as it is of use here: its overloads, and its own types. */
interface ApiSpan {
  spanContext(): { traceId: string; spanId: string; isRemote?: boolean; traceFlags: number };
  setAttribute(key: string, value: string | number | boolean): this;
  setStatus(status: { code: 0 | 1 | 2; message?: string }): this;
  end(endTime?: number | Date): void;
}
interface ApiContext {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): ApiContext;
  deleteValue(key: symbol): ApiContext;
}
declare enum ApiKind {
  INTERNAL = 0,
  SERVER = 1,
  CLIENT = 2,
  PRODUCER = 3,
  CONSUMER = 4,
}
interface ApiSpanOptions {
  kind?: ApiKind;
  attributes?: Record<string, string | number | boolean | undefined>;
  root?: boolean;
}
interface ApiTracer {
  startSpan(name: string, options?: ApiSpanOptions, context?: ApiContext): ApiSpan;
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: ApiSpan) => unknown>(name: string, options: ApiSpanOptions, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: ApiSpan) => unknown>(
    name: string,
    options: ApiSpanOptions,
    context: ApiContext,
    fn: F,
  ): ReturnType<F>;
}
interface ApiMeter {
  createHistogram(
    name: string,
    options?: { description?: string; unit?: string; advice?: { explicitBucketBoundaries?: number[] } },
  ): {
    record(value: number, attributes?: Record<string, unknown>, context?: ApiContext): void;
  };
  createObservableCounter(name: string, options?: { description?: string; unit?: string }): ApiObservable;
  createObservableGauge(name: string, options?: { description?: string; unit?: string }): ApiObservable;
}
interface ApiObservable {
  addCallback(
    callback: (result: { observe(value: number, attributes?: Record<string, unknown>): void }) => void | Promise<void>,
  ): void;
  removeCallback(
    callback: (result: { observe(value: number, attributes?: Record<string, unknown>): void }) => void | Promise<void>,
  ): void;
}

Deno.test("meters and tracers of OpenTelemetry's API fit, as the compiler sees them", () => {
  const meterFits = (meter: ApiMeter): TelemetryMeter => meter;
  const tracerFits = (tracer: ApiTracer): TelemetryTracer => tracer;
  assertEquals([typeof meterFits, typeof tracerFits], ["function", "function"]);
});
