// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { ConnectionPool } from "../../connections/connection_pool.ts";
import { Peer } from "../../connections/peer.ts";
import { Broadcasting } from "../../manager/broadcasting.ts";
import { PayloadCodec } from "../../wire/payload_codec.ts";
import { bareRuntime, pass } from "../connections/bare_runtime.ts";
import { nodeSpec } from "../node_spec.ts";

Deno.test("Broadcasting looks for neighbours only once there is something that they could lack", async () => {
  const runtime = bareRuntime();
  let looks = 0;
  const peers = new Map([["b", new Peer(nodeSpec("b"), nodeSpec("a"))]]);
  const pool: Partial<ConnectionPool> = {
    selfName() {
      looks++;
      return "a";
    },
    peers,
  };
  const broadcasting = new Broadcasting({
    runtime,
    pool: pool as ConnectionPool,
    codec: new PayloadCodec(undefined),
    lazyInterval: 1_000,
    refreshInterval: 10_000,
    isFullMesh: true,
    incarnationOf: () => undefined,
    maxFrameBytes: 65_536,
    undeliverable() {},
    deliver() {},
  }, nodeSpec("a"));
  for (let count = 0; count < 5; count++) {
    broadcasting.neighboursChanged();
    await pass(runtime.clock, 1_000);
  }
  assertEquals([looks, runtime.clock.pending], [0, 0]);
  broadcasting.broadcast("news", 1);
  await pass(runtime.clock, 0);
  const before = looks;
  broadcasting.neighboursChanged();
  broadcasting.neighboursChanged();
  await pass(runtime.clock, 250);
  assertEquals(looks - before, 1);
  broadcasting.stop();
  assertEquals(runtime.clock.pending, 0);
});
