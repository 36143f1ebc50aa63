// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { TraceContext } from "../wire/trace_context.ts";
import type { TelemetryContext } from "./telemetry_types.ts";

/**
 * Key under which OpenTelemetry's API keeps the active span in a context: a registered symbol, the same for all its
 * implementations.
 */
const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/** A context of OpenTelemetry that has nothing to do with the one that is active. */
class OwnContext implements TelemetryContext {
  readonly #values: ReadonlyMap<symbol, unknown>;

  constructor(values: ReadonlyMap<symbol, unknown>) {
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    return this.#values.get(key);
  }

  setValue(key: symbol, value: unknown): TelemetryContext {
    return new OwnContext(new Map(this.#values).set(key, value));
  }

  deleteValue(key: symbol): TelemetryContext {
    const values = new Map(this.#values);
    values.delete(key);
    return new OwnContext(values);
  }
}

/** A context whose span is one of another node; without one, a trace begins below it. */
export function contextBelow(parent: TraceContext | undefined): TelemetryContext {
  const root = new OwnContext(new Map());
  return parent === undefined ? root : root.setValue(SPAN_KEY, new RemoteSpan(parent));
}

/** A span of another node: nothing can be said about it here. */
class RemoteSpan {
  readonly #context: TraceContext;

  constructor(context: TraceContext) {
    this.#context = context;
  }

  spanContext(): TraceContext & { isRemote: true } {
    return { ...this.#context, isRemote: true };
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  recordException(): void {}

  end(): void {}
}
