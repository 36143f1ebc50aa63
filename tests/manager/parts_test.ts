// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { Connection } from "../../connections/connection.ts";
import type { Peer } from "../../connections/peer.ts";
import { FrameRouter } from "../../manager/frame_router.ts";
import type { Part } from "../../manager/part.ts";
import { Parts } from "../../manager/parts.ts";
import { StoppedError } from "../../messaging/errors.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { messagePack } from "../../wire/codec.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { nodeSpec } from "../node_spec.ts";

Deno.test("Parts tells each part what it implements, in the order of the list", () => {
  const told: string[] = [];
  const first: Part = { periodic: () => told.push("first"), restart: ({ name }) => told.push(`first, as ${name}`) };
  const second: Part = { periodic: () => told.push("second") };
  const parts = new Parts([first, {}, second]);
  parts.periodic();
  parts.restart(nodeSpec("a"));
  assertEquals(told, ["first", "second", "first, as a"]);
});

Deno.test("Parts tells all parts that the membership has changed before it tells them who has left", () => {
  const told: string[] = [];
  const part = (name: string): Part => ({
    membersChanged: ({ left }) => told.push(`${name}: ${left.length} left`),
    memberLeft: (node) => told.push(`${name}: ${node.name} left`),
  });
  const change = { joined: [], lost: [], left: [nodeSpec("a"), nodeSpec("b")], renewed: [], removed: false };
  new Parts([part("1"), part("2")]).membersChanged(change);
  assertEquals(told, ["1: 2 left", "2: 2 left", "1: a left", "2: a left", "1: b left", "2: b left"]);
});

Deno.test("Parts stops a part once the one before it has stopped", async () => {
  const told: string[] = [];
  const written = Promise.withResolvers<void>();
  const store: Part = { stop: () => written.promise.then(() => void told.push("store")) };
  const last: Part = { stop: ({ message }) => void told.push(message) };
  const stopped = new Parts([store, last]).stop(new StoppedError("the end"));
  await Promise.resolve();
  assertEquals(told, []);
  written.resolve();
  await stopped;
  assertEquals(told, ["store", "the end"]);
});

Deno.test("Parts leads each kind of frame to the part that takes it, as it is or as its value", () => {
  const taken: unknown[] = [];
  const parts = new Parts([
    { frames: [[FrameKind.message, (_, buffer, start, end) => void taken.push(buffer.subarray(start, end))]] },
    { controls: [[FrameKind.strategy, ({ name }, value) => taken.push([name, value])]] },
  ]);
  const router = new FrameRouter();
  parts.route(router, new PayloadCodec(undefined));
  const connection = { peer: { name: "b" } as Peer } as Connection<Peer>;
  const value = messagePack.encode({ type: "join" });
  router.route(connection, FrameKind.message, value, 0, 1);
  router.route(connection, FrameKind.strategy, value, 0, value.length);
  assertEquals(taken, [value.subarray(0, 1), ["b", { type: "join" }]]);
});
