// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { FrameKind } from "../../wire/frame_kind.ts";
import { decodeHello, PROTOCOL_VERSIONS } from "../../connections/handshake/hello.ts";
import { FEATURES } from "../../connections/handshake/introduction.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { packSpecs, unpackSpecs } from "../../wire/packed_specs.ts";
import { REFUSAL_CODES, refusalFrom } from "../../connections/handshake/refusal.ts";
import { protocolExchange } from "./protocol_exchange.ts";
import { nodeSpec } from "../node_spec.ts";
import { present } from "../values.ts";

const text = await Deno.readTextFile(new URL("../../docs/protocol.md", import.meta.url));

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

Deno.test("docs/protocol.md shows what is really sent with a secret", async () => {
  assertEquals(dumps[1], (await protocolExchange(["correct horse battery"])).join("\n\n"));
  assertEquals(dumps.length, 2);
  assert(text.endsWith(`${dumps[1]}\n\`\`\`\n`), "something is behind the exchange");
});

Deno.test("docs/protocol.md names every kind of frame and its number", () => {
  const listed = Object.fromEntries(table("kind").map(([kind, name]) => [name, Number(kind)]));
  assertEquals(listed, { ...FrameKind });
});

/** The bytes of one of the frames that the page shows, header included. */
function shown(dump: number, frame: number): Uint8Array {
  const lines = present(present(dumps[dump]).split("\n\n")[frame]).split("\n").slice(1);
  const hex = lines.map((line) => line.slice(6, 53).trim()).join(" ");
  return Uint8Array.from(hex.split(" "), (byte) => parseInt(byte, 16));
}

Deno.test("docs/protocol.md names every field of the introduction and of the answer, in the order in which they are sent", () => {
  const introduction = decode(shown(0, 1).subarray(5)) as Record<string, unknown>;
  assertEquals(table("introduction").map(([field]) => field), Object.keys(introduction));
  const ready = decode(shown(0, 2).subarray(5)) as Record<string, unknown>;
  assertEquals(table("answer").map(([field]) => field), Object.keys(ready));
  assertEquals(ready.version, PROTOCOL_VERSIONS[1]);
});

Deno.test("docs/protocol.md shows a hello that says which versions and which cluster", () => {
  const { versions, cluster, sealed, rest } = decodeHello(shown(0, 0).subarray(5));
  assertEquals([versions, cluster, sealed, rest.length], [PROTOCOL_VERSIONS, "blue", false, 0]);
  const secret = decodeHello(shown(1, 0).subarray(5));
  assertEquals([secret.versions, secret.cluster, secret.sealed, secret.rest.length], [
    PROTOCOL_VERSIONS,
    "blue",
    true,
    48,
  ]);
});

Deno.test("docs/protocol.md shows how specifications are packed", () => {
  const nodes = [nodeSpec("c", 1_767_225_600_000), nodeSpec("d", 1_767_225_600_005)];
  const [, block] = present(text.match(/^```text\n((?:(?:[0-9a-f]{2} ?)+\n)+)```$/m));
  const bytes = Uint8Array.from(present(block).trim().split(/\s/), (byte) => parseInt(byte, 16));
  assertEquals(bytes, encode(packSpecs(nodes)));
  assertEquals(unpackSpecs(decode(bytes)), nodes);
});

Deno.test("docs/protocol.md names every feature", () => {
  assertEquals(table("feature").map(([feature]) => feature), [...FEATURES]);
});

Deno.test("docs/protocol.md names every reason of a refusal", () => {
  const codes = table("code").map(([code]) => code);
  assertEquals(codes, [...REFUSAL_CODES]);
  for (const code of codes) assertEquals(refusalFrom({ code, reason: "" }).code, code);
});
