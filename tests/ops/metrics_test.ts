// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { INSTRUMENTS } from "../../ops/metrics/catalogue.ts";
import type { Instrument } from "../../ops/metrics/instrument_types.ts";
import { scenario, type World } from "../manager/worlds.ts";
import { metricsOf, textOf, value } from "./metrics_of.ts";
import { readPrometheus } from "./prometheus_text.ts";
import { isInstalled } from "../installed.ts";
import { entryOf, firstOf, nthOf, present } from "../values.ts";

const DOCUMENT = await Deno.readTextFile(new URL("../../docs/metrics.md", import.meta.url));

/** The rows of the tables of `docs/metrics.md`. */
function documented(): Map<string, string[]> {
  const rows = DOCUMENT.split("\n").filter((line) => /^\| +`/.test(line));
  return new Map(rows.map((row) => {
    const cells = row.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim());
    return [nthOf(present(/^`(.+)`$/.exec(firstOf(cells))), 1), cells];
  }));
}

/** The cell of a row says which labels an instrument has, and, unless it describes them in words, each of their values. */
function assertLabels(cell: string, labels: Instrument["labels"], name: string): void {
  const said = cell === "" ? [] : cell.split(";").map((part) => part.trim());
  assertEquals(said.map((part) => firstOf(part.split(":")).replaceAll("`", "")), Object.keys(labels), name);
  for (const part of said) {
    const [label, values] = part.replaceAll("`", "").split(": ");
    const known = labels[present(label)];
    const isListed = /^`\w+`: `[^`]+`(, `[^`]+`)*$/.test(part);
    if (isListed && typeof known !== "string") assertEquals(present(values).split(", "), [...present(known)], name);
  }
}

/** A cluster in which something of everything has happened. */
async function busy(world: World): Promise<[PeerServiceManager, PeerServiceManager]> {
  const [a, b] = await world.cluster(["a", "b"], {
    channels: { bulk: {} },
    allow: { faultInjection: true },
    // A node that is well is not to be unready because other tests hold the processor.
    heartbeat: { missed: 50 },
  });
  const heard = world.inbox(b, "log");
  world.inbox(a, "log");
  b.register("double", (n: number) => 2 * n);
  b.register("faulty", () => Promise.reject(new Error("no such luck")));
  await a.forwardMessage("b", "log", 1, { channel: "bulk" });
  await a.forwardMessage("b", "log", 2, { ack: true });
  assertEquals(await a.call("b", "double", 4), 8);
  await a.call("b", "faulty", 4).catch(() => {});
  a.broadcast("log", 3);
  a.castMessage("nobody", "log", 1);
  b.setAttribute("load", 0.5);
  await world.until("all has come", () => heard.messages.length === 3 && a.attribute("b", "load") === 0.5);
  await world.until("pings were answered", () => present(a.stats().peers.b).roundTrip !== undefined);
  // What is written, and which timers have come, is known a little later than what was heard of it.
  const { liveness, context: { traffic } } = PeerService.nodeOf(a);
  const isMeasured = () => liveness.delay.histogram.count > 0 && traffic.of("bulk").waits.count > 0;
  await world.until("the last of it was measured", isMeasured);
  // The channels that were used have sockets of their own a little later than their first messages have come.
  await world.opened([a, b]);
  await world.until("the handler's failure was told", () => world.errors.length > 0);
  world.errors.length = 0;
  return [a, b];
}

scenario("/metrics announces every instrument, and emits what docs/metrics.md says and no other", async (world) => {
  const rows = documented();
  const names = [...rows.keys()];
  assertGreater(names.length, 29);
  assert(names.length <= 50, `${names.length} instruments`);
  assertEquals(INSTRUMENTS.map(({ name }) => name), names);
  for (const node of [await world.start("lonely"), (await busy(world))[0]]) {
    const metrics = await metricsOf(node);
    assertEquals([...metrics.keys()], names);
    for (const { name, type, unit, labels, help } of INSTRUMENTS) {
      const family = entryOf(metrics, name);
      assertEquals([family.type, family.help], [type, `${help}.`]);
      const [, documentedType, documentedUnit, documentedLabels, meaning, advice] = entryOf(rows, name);
      assertEquals([documentedType, documentedUnit], [type, unit.replace(/[{}]/g, "")], name);
      assertLabels(present(documentedLabels), labels, name);
      assert(meaning !== "" && advice !== "", name);
      assert(family.series.length > 0, `${name} has no series`);
    }
  }
});

scenario("labels have no other values than those of the catalogue, and all of these from the start", async (world) => {
  const [a] = await busy(world);
  const metrics = await metricsOf(a);
  const sets: Record<string, readonly string[]> = { channels: ["membership", "default", "bulk", "other"] };
  for (const { name, labels } of INSTRUMENTS) {
    const { series } = entryOf(metrics, name);
    for (const [label, values] of Object.entries(labels)) {
      if (values === "node") continue;
      const known = typeof values === "string" ? present(sets[values]) : values;
      const seen = new Set(series.map((one) => entryOf(one.labels, label)));
      assertEquals([...seen].sort(), [...known].sort(), `${name}: ${label}`);
    }
    for (const one of series) {
      const others = [...one.labels.keys()].filter((label) => label !== "le");
      assertEquals(others.sort(), Object.keys(labels).sort(), name);
    }
  }
});

scenario("/metrics counts what happens", async (world) => {
  const [a, b] = await busy(world);
  const [here, there] = [await metricsOf(a), await metricsOf(b)];
  assertEquals(value(here, "partisan_members", { status: "up" }), 2);
  assertEquals(value(here, "partisan_ready"), 1);
  assertEquals(value(here, "partisan_connections", { channel: "bulk" }), 1);
  assertEquals(value(here, "partisan_connections_target", { channel: "bulk" }), 1);
  assertEquals(value(here, "partisan_dials_total") + value(there, "partisan_dials_total"), 3);
  const handshakes = (["dialer", "acceptor"] as const).map((role) =>
    value(here, "partisan_handshake_seconds_count", { role })
  );
  assertEquals(firstOf(handshakes) + nthOf(handshakes, 1), 3);
  assertGreater(value(here, "partisan_round_trip_seconds_count"), 0);
  assertGreater(value(here, "partisan_event_loop_delay_seconds_count"), 0);
  assertGreater(value(here, "partisan_queue_wait_seconds_count", { channel: "bulk" }), 0);
  assertGreater(value(here, "partisan_bytes_total", { channel: "bulk", direction: "out" }), 0);
  assertGreater(value(there, "partisan_bytes_total", { channel: "bulk", direction: "in" }), 0);
  assertGreater(value(there, "partisan_control_bytes_total", { direction: "out", kind: "attributes" }), 0);
  assertGreater(value(here, "partisan_control_bytes_total", { direction: "in", kind: "attributes" }), 0);
  assertGreater(value(there, "partisan_messages_total", { direction: "in" }), 4);
  assertEquals(value(here, "partisan_messages_lost_total", { reason: "dropped" }), 1);
  assertEquals(value(there, "partisan_handler_failures_total"), 1);
  assertEquals(value(here, "partisan_call_seconds_count", { outcome: "ok" }), 1);
  assertEquals(value(here, "partisan_call_seconds_count", { outcome: "error" }), 1);
  assertEquals(value(here, "partisan_broadcasts_total"), 1);
  assertEquals(value(there, "partisan_broadcast_copies_total", { copy: "new" }), 1);
  assertEquals(value(here, "partisan_events_total", { type: "undeliverable" }), 1);
  assertEquals(value(here, "partisan_calls_in_flight"), 0);

  const partition = await a.injectPartition("b", 0);
  await world.until("b is apart", () => b.partitions().length > 0);
  assertEquals(value(await metricsOf(b), "partisan_injected_partitions"), 1);
  a.resolvePartition(partition);
  await world.until("b is back", () => b.partitions().length === 0);
});

scenario("counters of bytes go on when connections close", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  await a.forwardMessage("b", "log", new Uint8Array(100_000));
  await world.until("it has come", () => heard.messages.length === 1);
  const before = value(await metricsOf(a), "partisan_bytes_total", { channel: "default", direction: "out" });
  const total = a.stats().bytes.out;
  assertGreater(before, 100_000);
  world.breakConnections("a");
  await world.until("they were made anew", () => a.isFullyConnected("b") && b.isFullyConnected("a"));
  const after = value(await metricsOf(a), "partisan_bytes_total", { channel: "default", direction: "out" });
  assert(after >= before, `${after} after ${before}`);
  assert(a.stats().bytes.out >= total);
});

scenario("suspicion and failure of a silent node are counted, and so is that it was heard again", async (world) => {
  const [a, b] = await world.cluster(["a", "b", "c"]);
  world.simulated.pause("b");
  await world.until("b is down", () => !a.isConnected("b"));
  const silent = await metricsOf(a);
  assertEquals(value(silent, "partisan_members", { status: "down" }), 1);
  assertGreater(value(silent, "partisan_suspicions_total") + value(silent, "partisan_failures_detected_total"), 0);
  world.simulated.resume("b");
  await world.until("b is up", () => a.isConnected("b") && b.isConnected("a"));
  assertGreater(value(await metricsOf(a), "partisan_refutations_total"), 0);
}, ["memory"]);

Deno.test({
  name: "promtool of Prometheus finds nothing wrong with /metrics",
  ignore: !await isInstalled("promtool"),
  async fn() {
    await using node = await startPeerService({ name: 'quoted "\\" name', channels: { bulk: {} } });
    const promtool = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = promtool.stdin.getWriter();
    await writer.write(new TextEncoder().encode(await textOf(node)));
    await writer.close();
    const { code, stdout, stderr } = await promtool.output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals([code, said], [0, ""]);
  },
});

Deno.test("the reader of these tests finds what is wrong with a text", () => {
  const wrong = [
    "# HELP a b\n# TYPE a counter\na 1",
    "# TYPE a counter\na 1\n",
    "# HELP a b\n# TYPE a counter\nb 1\n",
    "# HELP a b\n# TYPE a counter\na 1\na 2\n",
    '# HELP a b\n# TYPE a counter\na{x="1} 1\n',
    "# HELP a b\n# TYPE a counter\na one\n",
    '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
  ];
  for (const text of wrong) assertThrows(() => readPrometheus(text), SyntaxError);
  const a = firstOf([...readPrometheus('# HELP a b\n# TYPE a gauge\na{x="\\"\\\\\\n"} 1\n').values()]);
  assertEquals(firstOf(a.series).labels.get("x"), '"\\\n');
});
