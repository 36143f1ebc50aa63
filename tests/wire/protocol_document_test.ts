// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { FrameKind } from "../../wire/frame_kind.ts";
import { PROTOCOL_VERSION } from "../../connections/handshake/handshake.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { refusalFrom } from "../../connections/handshake/refusal.ts";
import { protocolExchange } from "./protocol_exchange.ts";

const text = await Deno.readTextFile(new URL("../../docs/protocol.md", import.meta.url));
const refusalSource = await Deno.readTextFile(new URL("../../connections/handshake/refusal.ts", import.meta.url));

/** The blocks that show frames. */
const dumps = [...text.matchAll(/^```text\n((?:a -> b|b -> a) [^`]*)\n```$/gm)].map(([, block]) => block);

/** The cells of the table with this column first. */
function table(first: string): string[][] {
  const [, rows = ""] = text.match(new RegExp(`^\\| ${first} .*\\n\\|[ -|]*\\n((?:\\|.*\\n)+)`, "m")) ?? [];
  return rows.trimEnd().split("\n").map((row) =>
    row.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""))
  );
}

Deno.test("docs/protocol.md shows what is really sent in an open cluster", async () => {
  assertEquals(dumps[0], (await protocolExchange([])).join("\n\n"));
});

Deno.test("docs/protocol.md shows what is really sent with a secret, where that differs", async () => {
  const [, welcome, proof, ready] = await protocolExchange(["s3cret"]);
  assertEquals(dumps[1], [welcome, proof, ready].join("\n\n"));
  assertEquals(dumps.length, 2);
});

Deno.test("docs/protocol.md names every kind of frame and its number", () => {
  const listed = Object.fromEntries(table("kind").map(([kind, name]) => [name, Number(kind)]));
  assertEquals(listed, { ...FrameKind });
});

Deno.test("docs/protocol.md names every field of the hello, in the order in which they are sent", () => {
  const hex = dumps[0]!.split("\n\n")[0]!.split("\n").slice(1).map((line) => line.slice(6, 53).trim()).join(" ");
  const bytes = Uint8Array.from(hex.split(" "), (byte) => parseInt(byte, 16));
  const hello = decode(bytes.subarray(5)) as Record<string, unknown>;
  assertEquals(table("field").map(([field]) => field), Object.keys(hello));
  assertEquals(hello.version, PROTOCOL_VERSION);
});

Deno.test("docs/protocol.md names every reason of a refusal", () => {
  const codes = table("code").map(([code]) => code!);
  const [, set = ""] = refusalSource.match(/new Set<RefusalCode>\(\[([^\]]*)\]/) ?? [];
  assertEquals(codes, [...set.matchAll(/"([^"]+)"/g)].map(([, code]) => code));
  for (const code of codes) assertEquals(refusalFrom({ code, reason: "" }).code, code);
});
