// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { AttributeRecord } from "../../gossip/attribute_record.ts";
import { deltaBytes, deltaMessages } from "../../gossip/delta_messages.ts";

/** An owner that has set, replaced and withdrawn, and one that knows of it what was there half way. */
function owner(): { record: AttributeRecord; known: AttributeRecord } {
  const [record, known] = [new AttributeRecord("a", 1), new AttributeRecord("a", 1)];
  const set = (at: number, bytes: number) => record.set(`key ${at}`, new Uint8Array(bytes).fill(at));
  for (let at = 0; at < 40; at++) set(at, 10_000 + at);
  known.apply(record.deltaSince(0), Infinity);
  for (let at = 0; at < 40; at += 2) set(at, 30_000);
  for (let at = 0; at < 40; at += 5) record.set(`key ${at}`, undefined);
  set(100, 600_000);
  return { record, known };
}

Deno.test("deltaMessages() makes messages that are small, but for one attribute that is larger, and add up to the whole", () => {
  const { record, known } = owner();
  const delta = record.deltaSince(known.version);
  const wanted = [{ owner: "b", incarnation: 1, version: 2 }];
  const messages = deltaMessages([delta], wanted);
  assert(messages.length > 2);
  for (const [at, message] of messages.entries()) {
    assert(message.kind === "delta");
    assertEquals(message.wanted, at === 0 ? wanted : []);
    const bytes = message.deltas.reduce((sum, delta) => sum + deltaBytes(delta), 0);
    assert(bytes < 264_000 || message.deltas.every(({ entries }) => entries.length === 1), `${bytes}`);
    for (const delta of message.deltas) {
      assert(known.accepts(delta));
      assert(known.apply(delta, Infinity) !== null);
    }
  }
  assertEquals(known.version, record.version);
  assertEquals([...known.entries].toSorted(), [...record.entries].toSorted());
});

Deno.test("deltaMessages() makes steps of which none is taken when the one before it got lost", () => {
  const { record, known } = owner();
  const messages = deltaMessages([record.deltaSince(known.version)]);
  const deltas = messages.flatMap((message) => message.kind === "delta" ? message.deltas : []);
  assertEquals(deltas.slice(1).map((delta) => known.accepts(delta)), deltas.slice(1).map(() => false));
});

Deno.test("deltaMessages() puts small deltas of many owners into one message, and says what is wanted without any", () => {
  const deltas = Array.from({ length: 100 }, (_, at) => {
    const record = new AttributeRecord(`node ${at}`, 1);
    record.set("key", new Uint8Array(100));
    return record.deltaSince(0);
  });
  assertEquals(deltaMessages(deltas), [{ kind: "delta", deltas, wanted: [] }]);
  const wanted = [{ owner: "b", incarnation: 1, version: 2 }];
  assertEquals(deltaMessages([], wanted), [{ kind: "delta", deltas: [], wanted }]);
});
