// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type LogEntry, type PeerServiceManager, startPeerService } from "../../mod.ts";
import { httpHandler } from "../../ops/mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { scenario } from "../manager/worlds.ts";
import { present } from "../values.ts";

/** Reads the events of a feed, one after the other. */
class FeedReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    this.#reader = present(response.body).pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next event, comments left out; `null` at the end. */
  async next(): Promise<{ type: string; data: Record<string, unknown> } | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await this.#reader.read();
        if (done) return null;
        this.#text += value;
        continue;
      }
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const [, type] = /^event: (.*)$/m.exec(block) ?? [];
      const [, data] = /^data: (.*)$/m.exec(block) ?? [];
      if (type !== undefined && data !== undefined) return { type, data: JSON.parse(data) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

async function feed(node: PeerServiceManager): Promise<FeedReader> {
  return new FeedReader(await httpHandler(node)(new Request("http://localhost/events")));
}

const observersOf = (node: PeerServiceManager) => PeerService.nodeOf(node).context.observers.size;

scenario("/events tells what happens from now on", async (world) => {
  const [a, b] = [await world.start("a"), await world.start("b")];
  await using events = await feed(a);
  await b.syncJoin(a.spec);
  const seen: string[] = [];
  while (!(seen.includes("join") && seen.includes("up"))) {
    const { type, data } = present(await events.next());
    seen.push(type);
    assertEquals(typeof data.at, "number");
    if (type === "join" || type === "up") assertEquals(data.node, "b");
  }
});

scenario("/events does not make an event heard: what no node listens to is logged all the same", async (world) => {
  const entries: LogEntry[] = [];
  const node = await startPeerService({
    name: "a",
    preset: "local",
    runtime: world.runtime("a"),
    listen: { hostname: world.kind === "TCP" ? "127.0.0.1" : "a", port: world.kind === "TCP" ? 0 : 9_090 },
    log: (entry) => void entries.push(entry),
  });
  try {
    await using events = await feed(node);
    node.castMessage("nobody", "log", 1);
    let event = await events.next();
    while (event?.type !== "undeliverable") event = await events.next();
    assertEquals(event.data.node, "nobody");
    assertEquals(entries.filter(({ kind }) => kind === "undeliverable").length, 1);
  } finally {
    await node.stop();
  }
});

scenario("/events ends with its reader and with the node", async (world) => {
  const a = await world.start("a");
  const before = observersOf(a);
  const cancelled = await feed(a);
  const left = await feed(a);
  assertEquals(observersOf(a) - before, 2);
  await cancelled[Symbol.asyncDispose]();
  assertEquals(observersOf(a) - before, 1);
  await a.stop();
  let last = await left.next();
  while (last !== null) last = await left.next();
  assertEquals(observersOf(a) - before, 0);
  await using none = await feed(a);
  assertEquals(await none.next(), null);
});

scenario("/events over HTTP ends with its request", async (world) => {
  const a = await world.start("a");
  const before = observersOf(a);
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, httpHandler(a));
  const gone = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/events`, { signal: gone.signal });
  const reader = present(response.body).getReader();
  assertStringIncludes(new TextDecoder().decode((await reader.read()).value), ": events from now on");
  assertEquals(observersOf(a) - before, 1);
  gone.abort();
  await reader.closed.catch(() => {});
  await world.until("the feed has ended", () => observersOf(a) === before);
}, ["TCP"]);

scenario("/events of a reader that does not read are left out and counted, not kept", async (world) => {
  const a = await world.start("a");
  await using events = await feed(a);
  const node = PeerService.nodeOf(a);
  for (let n = 0; n < 2_000; n++) {
    node.context.emit("warning", { code: "test", message: `${n} ${"x".repeat(1_000)}` });
  }
  let read = 0;
  for (let event = await events.next(); event?.type !== "omitted"; event = await events.next()) {
    assertEquals(event?.type, "warning");
    read++;
    if (read === 2_000) throw new Error("Nothing was left out");
  }
  assert(read > 100 && read < 400, `${read} were kept`);
  node.context.emit("warning", { code: "later", message: "goes on" });
  const later = present(await events.next());
  assertEquals(later.data.code, "later");
});

scenario("/events shows no message that users sent each other, and at most 64 read at a time", async (world) => {
  const a = await world.start("a");
  await using events = await feed(a);
  a.sendMessage("a", "private");
  let event = await events.next();
  while (event?.type !== "message") event = await events.next();
  assertEquals(Object.keys(event.data).sort(), ["at", "from"]);

  const handler = httpHandler(a);
  const open = await Promise.all(Array.from({ length: 64 }, () => handler(new Request("http://localhost/events"))));
  const refused = await handler(new Request("http://localhost/events"));
  assertEquals(refused.status, 503);
  assertStringIncludes(await refused.text(), "Too many");
  for (const { body } of open) await present(body).cancel();
  const again = await handler(new Request("http://localhost/events"));
  assertEquals(again.status, 200);
  await present(again.body).cancel();
});
