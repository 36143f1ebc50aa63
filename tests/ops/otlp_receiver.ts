// Copyright 2026 the Partisan peer-service authors. MIT license.

/** An attribute, as OTLP has it in JSON. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number; readonly boolValue?: boolean };
}

/** A value of a metric. */
export interface OtlpPoint {
  readonly attributes: readonly OtlpAttribute[];
  readonly asDouble?: number;
  readonly asInt?: string | number;
  readonly count?: string | number;
  readonly explicitBounds?: readonly number[];
}

/** A metric. */
export interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly gauge?: { readonly dataPoints: readonly OtlpPoint[] };
  readonly sum?: { readonly dataPoints: readonly OtlpPoint[]; readonly isMonotonic: boolean };
  readonly histogram?: { readonly dataPoints: readonly OtlpPoint[] };
}

/** A span. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly OtlpAttribute[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

/** Takes what a process exports over OTLP, in JSON, and keeps it. */
export class OtlpReceiver implements AsyncDisposable {
  /** The newest of each metric, by name. */
  readonly metrics = new Map<string, OtlpMetric>();
  readonly spans: OtlpSpan[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #arrived = Promise.withResolvers<void>();

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      this.#take(new URL(request.url).pathname, await request.json());
      return Response.json({});
    });
  }

  /** Variables that tell a process where to export to. */
  get environment(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_METRIC_EXPORT_INTERVAL: "200",
      OTEL_BSP_SCHEDULE_DELAY: "100",
    };
  }

  /** Waits until what has come is enough. */
  async until(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) await this.#arrived.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  // deno-lint-ignore no-explicit-any -- what comes is what Deno sends
  #take(path: string, body: any): void {
    if (path === "/v1/metrics") {
      for (const { scopeMetrics } of body.resourceMetrics) {
        for (const { metrics } of scopeMetrics) for (const metric of metrics) this.metrics.set(metric.name, metric);
      }
    } else if (path === "/v1/traces") {
      for (const { scopeSpans } of body.resourceSpans) for (const { spans } of scopeSpans) this.spans.push(...spans);
    }
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }
}

/** The value of an attribute, as text. */
export function attributeOf(attributes: readonly OtlpAttribute[], key: string): string | undefined {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  const found = value?.stringValue ?? value?.intValue ?? value?.boolValue;
  return found === undefined ? undefined : `${found}`;
}

/** Runs two nodes in a process of their own that exports to a receiver, for as long as `body` takes. */
export async function exporting(body: (receiver: OtlpReceiver) => Promise<void>): Promise<void> {
  await using receiver = new OtlpReceiver();
  const program = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("telemetry_program.ts", import.meta.url).pathname],
    env: receiver.environment,
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    await body(receiver);
  } finally {
    await program.stdin.close();
    await program.status;
  }
}
