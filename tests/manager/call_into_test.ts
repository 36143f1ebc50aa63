// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CallError } from "../../mod.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { decode } from "../../wire/message_pack_decode.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { entryOf, nthOf, present } from "../values.ts";
import { scenario } from "./worlds.ts";

const KIB = 1024;

/** Bytes that differ from those of another number. */
function bytesOf(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = number + index * 31 >>> 2;
  return bytes;
}

for (const codec of [undefined, { encode, decode }]) {
  scenario(
    `A reply goes where its caller wants it, and nowhere else${codec ? ", with a codec of the user" : ""}`,
    async (world) => {
      const [a, b] = await world.cluster(["a", "b"], codec && { codec });
      for (const to of [b, a]) {
        to.register("bytes", (length: number) => bytesOf(7, length));
        const into = new Uint8Array(2_100 * KIB);
        for (const length of [10, 0, 200 * KIB, 512 * KIB, 2_048 * KIB]) {
          into.fill(1);
          const reply = await a.call(to.name, "bytes", length, { into }) as Uint8Array;
          assertStrictEquals(reply.buffer, into.buffer);
          assertEquals([reply.byteOffset, reply.length], [0, length]);
          const expected = bytesOf(7, length);
          assert(reply.every((byte, index) => byte === expected[index]), "the reply is what was sent");
          assert(into.subarray(length).every((byte) => byte === 1), "nothing else was changed");
        }
      }
    },
  );
}

scenario("A reply that does not fit is refused, and leaves everything as it was", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  b.register("bytes", (length: number) => bytesOf(7, length));
  b.register("text", () => "text");
  b.register("throws", () => {
    throw new Error("Not today");
  });
  const into = new Uint8Array(100);
  await assertRejects(() => a.call("b", "bytes", 101, { into }), RangeError, `it has 101 bytes, "into" has 100`);
  await assertRejects(() => a.call("b", "text", null, { into }), TypeError, "it is none");
  await assertRejects(() => a.call("b", "throws", null, { into }), CallError, "Not today");
  const options = { into: [1] as unknown as Uint8Array }; // What a program without types may give.
  await assertRejects(() => a.call("b", "bytes", 1, options), TypeError, `"into" is object, expected a Uint8Array`);
  assertEquals(into, new Uint8Array(100));
  world.errors.length = 0;
});

scenario("A reply that comes after its call was given up changes nothing", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const reply = Promise.withResolvers<Uint8Array>();
  b.register("late", () => reply.promise);
  b.register("now", () => 1);
  const into = new Uint8Array(200 * KIB);
  await assertRejects(() => a.call("b", "late", null, { into, timeout: 50 }), DOMException);
  reply.resolve(bytesOf(7, 200 * KIB));
  await a.call("b", "now", null);
  await new Promise<void>((resolve) => world.clock.schedule(50, resolve));
  assert(into.every((byte) => byte === 0));
});

scenario(
  "A reply that goes where its caller wants it takes no other memory, unless functions see it that may keep it",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    b.register("bytes", (number: number) => bytesOf(number, 512 * KIB));
    await world.opened([a, b]);
    const { reader } = present(entryOf(PeerService.nodeOf(a).pool.peers, "b").at("default", 0));
    let retained = 0;
    const retain = reader.retain.bind(reader);
    reader.retain = (bytes) => {
      retained++;
      return retain(bytes);
    };
    const into = new Uint8Array(512 * KIB);
    for (let number = 0; number < 5; number++) await a.call("b", "bytes", number, { into });
    assertEquals(retained, 0);
    const plain = await a.call("b", "bytes", 5) as Uint8Array;
    assertEquals(retained, 1);

    const seen: Uint8Array[] = [];
    a.addPostInterpositionFun("keep", ({ message }) => {
      if (message instanceof Uint8Array) seen.push(message);
    });
    for (let number = 6; number < 9; number++) await a.call("b", "bytes", number, { into });
    const all = [plain, ...seen];
    assertEquals(all.length, 4);
    for (const [index, number] of [5, 6, 7, 8].entries()) {
      const expected = bytesOf(number, 512 * KIB);
      assert(nthOf(all, index).every((byte, at) => byte === expected[at]), `reply ${number} is as it was`);
    }
  },
  ["memory"],
);
