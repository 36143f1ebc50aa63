// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { httpHandler } from "../../ops/mod.ts";
import { type Family, readPrometheus } from "./prometheus_text.ts";
import { firstOf, present } from "../values.ts";

/** Text that `/metrics` of a node serves. */
export async function textOf(node: PeerServiceManager): Promise<string> {
  const response = await httpHandler(node)(new Request("http://localhost/metrics"));
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return await response.text();
}

/** The metrics of a node, by name. */
export async function metricsOf(node: PeerServiceManager): Promise<Map<string, Family>> {
  return readPrometheus(await textOf(node));
}

/** The value of the one series that has these labels. */
export function value(metrics: ReadonlyMap<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const family = metrics.get(name) ?? metrics.get(name.replace(/_(sum|count|bucket)$/, ""));
  const found = present(family).series.filter((series) =>
    series.name === name && Object.entries(labels).every(([label, text]) => series.labels.get(label) === text)
  );
  assertEquals(found.length, 1, `${name} ${JSON.stringify(labels)}`);
  return firstOf(found).value;
}

/** The value of one series of a node. */
export async function valueOf(
  node: PeerServiceManager,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  return value(await metricsOf(node), name, labels);
}
