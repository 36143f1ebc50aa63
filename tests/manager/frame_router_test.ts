// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { FrameRouter } from "../../manager/frame_router.ts";
import type { Connection } from "../../connections/connection.ts";
import type { Peer } from "../../connections/peer.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { firstOf } from "../values.ts";

const connection = {} as Connection<Peer>;
const buffer = new Uint8Array(9);

Deno.test("FrameRouter hands each kind to the part that takes it, with the bytes where they are", () => {
  const router = new FrameRouter();
  const taken: unknown[][] = [];
  router.on(FrameKind.ping, (...frame) => void taken.push(["ping", ...frame]));
  router.on(FrameKind.message, (...frame) => void taken.push(["message", ...frame]));
  router.route(connection, FrameKind.message, buffer, 2, 5);
  router.route(connection, FrameKind.ping, buffer, 5, 5);
  assertEquals(taken.map(([who, , , start, end]) => [who, start, end]), [["message", 2, 5], ["ping", 5, 5]]);
  assertStrictEquals(firstOf(taken)[1], connection);
  assertStrictEquals(firstOf(taken)[2], buffer);
  assertEquals(router.unknownFrames, 0);
});

Deno.test("FrameRouter counts and ignores every kind that no node takes", () => {
  const router = new FrameRouter();
  router.on(FrameKind.ping, () => {});
  for (let kind = 0; kind < 256; kind++) router.route(connection, kind, buffer, 0, 0);
  assertEquals(router.unknownFrames, 255);
});

Deno.test("FrameRouter passes on what a taker throws", () => {
  const router = new FrameRouter();
  router.on(FrameKind.pong, () => {
    throw new TypeError("Malformed");
  });
  assertThrows(() => router.route(connection, FrameKind.pong, buffer, 0, 0), TypeError, "Malformed");
});
