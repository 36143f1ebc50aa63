// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { type Command, decodeLine, encodeLine, readLines, type Report } from "../../cli/protocol.ts";

function streamOf(...chunks: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
}

Deno.test("decodeLine() brings back what encodeLine() encoded", async () => {
  const messages: (Command | Report)[] = [
    { type: "join", address: "127.0.0.1:9090" },
    { type: "event", at: 5, kind: "error", detail: 'line\nbreaks and "quotes"' },
  ];
  const chunks = messages.map((message) => new TextDecoder().decode(encodeLine(message)));
  const lines = await Array.fromAsync(readLines(streamOf(...chunks)));
  assertEquals(lines.map((line) => decodeLine(line)), messages);
});

Deno.test("decodeLine() refuses what has no type", () => {
  for (const line of ["3", "null", "{}", "{", ""]) assertThrows(() => decodeLine(line), SyntaxError);
});

Deno.test("readLines() finds the lines however the bytes are cut", async () => {
  assertEquals(await Array.fromAsync(readLines(streamOf("o", "ne\ntw", "o\n\nth", "ree\r", "\nfo", "ur"))), [
    "one",
    "two",
    "",
    "three",
    "four",
  ]);
  assertEquals(await Array.fromAsync(readLines(streamOf())), []);
});

Deno.test("readLines() puts characters together that chunks cut apart", async () => {
  const bytes = new TextEncoder().encode("ä\n");
  const stream = ReadableStream.from([bytes.slice(0, 1), bytes.slice(1)]);
  assertEquals(await Array.fromAsync(readLines(stream)), ["ä"]);
});
