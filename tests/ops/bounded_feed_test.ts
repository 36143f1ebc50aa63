// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertLess } from "@std/assert";
import { BoundedFeed, eventLines, serverSent } from "../../ops/bounded_feed.ts";
import { present } from "../values.ts";

/** Bytes that a feed may keep for a reader. */
const WAITING_MAX = 256 * 1_024;
const KIBIBYTE = JSON.stringify("x".repeat(1_022));

interface Line {
  readonly event: string;
  readonly number: number;
  readonly detail: unknown;
}

/** A feed of lines, and what it told its surroundings. */
function feedOf(format = eventLines) {
  const told: string[] = [];
  let now = 0;
  const feed = new BoundedFeed({
    format,
    now: () => ++now,
    writing: () => void told.push("writing"),
    closed: () => void told.push("closed"),
  });
  const reader = feed.stream.getReader();
  const decoder = new TextDecoder();
  /** The text of the next chunk; `null` at the end. */
  const read = async () => {
    const { value, done } = await reader.read();
    return done ? null : decoder.decode(value);
  };
  const readLine = async (): Promise<Line> => JSON.parse(present(await read()));
  return { feed, reader, told, read, readLine };
}

Deno.test("a feed greets, numbers its events, and ends", async () => {
  const { feed, read, told } = feedOf();
  feed.send("up", '{"node":"b"}');
  feed.sign();
  feed.send("down", "1");
  feed.close();
  const chunks = [];
  for (let chunk; (chunk = await read()) !== null;) chunks.push(chunk);
  assertEquals(chunks, [
    "\n",
    '{"event":"up","number":1,"detail":{"node":"b"}}\n',
    "\n",
    '{"event":"down","number":2,"detail":1}\n',
  ]);
  assertEquals(told, ["writing", "writing", "writing", "writing", "closed"]);
});

Deno.test("the format of server-sent events has a line for each field, and a blank one after them", async () => {
  const { feed, read } = feedOf(serverSent);
  feed.send("up", '{"node":"b"}');
  feed.sign();
  assertEquals(await read(), ": events from now on\n\n");
  assertEquals(await read(), 'id: 1\nevent: up\ndata: {"node":"b"}\n\n');
  assertEquals(await read(), ": still there\n\n");
});

Deno.test("a reader that is too slow is kept 256 KiB and no more, and is told how many events it missed", async () => {
  const { feed, read, readLine, told } = feedOf();
  assertEquals(await read(), "\n");
  for (let count = 0; count < 1_000; count++) feed.send("event", KIBIBYTE);
  const kept = told.length - 1;
  assertLess(kept * 1_024, WAITING_MAX);
  assertLess(WAITING_MAX, (kept + 1) * (KIBIBYTE.length + 64), "it is not given less than there is room for");

  const numbers: number[] = [];
  let omitted: Line | undefined;
  for (; omitted === undefined;) {
    const line = await readLine();
    if (line.event === "omitted") omitted = line;
    else numbers.push(line.number);
  }
  assertEquals(numbers, Array.from({ length: kept }, (_, index) => index + 1), "what came through has no gaps");
  assertEquals(omitted.detail, { at: 1, count: 1_000 - kept }, "all the rest in one event");
  feed.send("event", "1");
  assertEquals(await readLine(), { event: "event", number: 1_001, detail: 1 });
});

Deno.test("a reader that catches up a little gets no event before it is told of those that it missed", async () => {
  const { feed, read, readLine } = feedOf();
  await read();
  for (let count = 0; count < 1_000; count++) feed.send("event", KIBIBYTE);
  await read();
  await read();
  // There is room for this one, but not for half of the whole.
  feed.send("small", "1");
  let before: Line | undefined;
  let line = await readLine();
  for (; line.event !== "omitted"; line = await readLine()) before = line;
  assertEquals(before?.event, "event", "the small one is among those left out");
  const { count } = line.detail as { count: number };
  assertEquals(count + present(before).number, 1_001);
});

Deno.test("an event that is larger than all room is left out, and told", async () => {
  const { feed, read, readLine } = feedOf();
  await read();
  feed.send("huge", JSON.stringify("x".repeat(2 * WAITING_MAX)));
  feed.send("event", "1");
  assertEquals(await readLine(), { event: "omitted", number: 2, detail: { at: 1, count: 1 } });
  assertEquals(await readLine(), { event: "event", number: 2, detail: 1 });
});

Deno.test("room is counted in bytes, not in characters", async () => {
  const { feed, read, told } = feedOf();
  await read();
  for (let count = 0; count < 1_000; count++) feed.send("event", JSON.stringify("€".repeat(341)));
  assert((told.length - 1) * 1_023 < WAITING_MAX, `${told.length}`);
});

Deno.test("a reader that cancels ends the feed once; what is sent then goes nowhere", async () => {
  const { feed, reader, told } = feedOf();
  await reader.cancel();
  feed.send("event", "1");
  feed.sign();
  feed.close();
  assertEquals(told, ["writing", "closed"]);
});

Deno.test("a feed that was closed hands over what it has written", async () => {
  const { feed, read, told } = feedOf();
  feed.send("event", "1");
  feed.close();
  feed.send("event", "2");
  assertEquals([await read(), await read(), await read()], ["\n", '{"event":"event","number":1,"detail":1}\n', null]);
  assertEquals(told.filter((what) => what === "closed").length, 1);
});
