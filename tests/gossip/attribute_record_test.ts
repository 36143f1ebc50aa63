// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { AttributeRecord } from "../../gossip/attribute_record.ts";
import { seededRandom } from "../seeded_random.ts";

const UNBOUNDED = 2 ** 30;

Deno.test("A delta since any version brings a record forward, and a record that was brought forward gives the same deltas", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = seededRandom(seed);
    const owner = new AttributeRecord("a", 1);
    const replicas = [1, 10, 300, 1_000].map((lag) => ({ lag, record: new AttributeRecord("a", 1) }));
    let change = 0;
    for (let step = 0; step < 2_500; step++) {
      if (random.chance(0.02)) owner.renew();
      if (random.chance(0.002)) owner.refute(owner.version + random.int(3));
      owner.set(`key-${random.int(400)}`, random.chance(0.2) ? undefined : Uint8Array.of(change >> 8, change++ & 255));
      for (const { lag, record } of replicas) {
        if (step % lag !== 0 && step < 2_499) continue;
        // It may know more than the other side believes.
        const from = Math.max(0, record.version - (random.chance(0.3) ? random.int(400) : 0));
        const delta = owner.deltaSince(from);
        if (record.accepts(delta)) assert(record.apply(delta, UNBOUNDED) !== null);
        if (step % 20 > 0) continue;
        const since = random.int(owner.version + 1);
        const known = record.deltaSince(since);
        assertEquals(known.entries, owner.deltaSince(since).entries, `seed ${seed}, step ${step}, since ${since}`);
      }
    }
    for (const { record } of replicas) {
      assertEquals(record.version, owner.version);
      assertEquals(record.bytes, owner.bytes);
      assertEquals([...record.entries].toSorted(), [...owner.entries].toSorted());
    }
  }
});

Deno.test("A delta of an owner that says more than it may changes nothing", () => {
  const owner = new AttributeRecord("a", 1);
  const record = new AttributeRecord("a", 1);
  owner.set("x", new Uint8Array(10));
  record.apply(owner.deltaSince(0), 100);
  owner.set("x", undefined);
  owner.set("y", new Uint8Array(100));
  assertEquals(record.apply(owner.deltaSince(record.version), 100), null);
  assertEquals([[...record.entries.keys()], record.version], [["x"], 1]);
  owner.set("y", new Uint8Array(11));
  assertEquals(record.apply(owner.deltaSince(record.version), 100), [
    { key: "x", value: undefined },
    { key: "y", value: new Uint8Array(11) },
  ]);
});
