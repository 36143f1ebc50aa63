// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { agreedSlots, agreedSlotsOn } from "../../connections/slots.ts";
import { seededRandom } from "../seeded_random.ts";

function channels(parallelism: Readonly<Record<string, number>>) {
  const entries = Object.entries(parallelism).map(([name, count]) =>
    [name, { parallelism: count, monotonic: false, compression: false }] as const
  );
  return { channels: Object.fromEntries(entries) };
}

Deno.test("agreedSlots() gives a channel that both have what the side with the lesser wish says, and one of one side its wish", () => {
  const slots = agreedSlots(channels({ both: 4, ours: 3, huge: 64 }), channels({ both: 7, theirs: 2 }));
  assertEquals(Object.fromEntries(slots), { both: 4, ours: 3, huge: 16, theirs: 2 });
});

Deno.test("agreedSlots() lets no node impose connections: 60 channels of 64 cost 60", () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, number) => [`channel ${number}`, 64]));
  const slots = agreedSlots(channels({ default: 1, ...many }), channels({ default: 64 }));
  assertEquals([...slots.values()].reduce((sum, count) => sum + count), 61);
});

Deno.test("agreedSlots() says the same to both sides, and gives each channel at least one slot", () => {
  const random = seededRandom(3);
  const side = () =>
    channels(
      Object.fromEntries(Array.from({ length: random.int(64) }, () => [`c${random.int(80)}`, 1 + random.int(64)])),
    );
  for (let round = 0; round < 200; round++) {
    const [a, b] = [side(), side()];
    const [here, there] = [agreedSlots(a, b), agreedSlots(b, a)];
    const sorted = (slots: ReadonlyMap<string, number>) => [...slots].sort(([one], [other]) => one < other ? -1 : 1);
    assertEquals(sorted(here), sorted(there));
    assert([...here.values()].every((count) => count >= 1));
    for (let number = 0; number < 80; number++) {
      assertEquals(agreedSlotsOn(`c${number}`, a, b), here.get(`c${number}`) ?? 0);
    }
  }
});

Deno.test("agreedSlots() takes no name of an object's own for a channel", () => {
  const slots = agreedSlots(channels({ toString: 3, constructor: 2 }), channels({ default: 1 }));
  assertEquals(Object.fromEntries([...slots].sort()), { constructor: 2, default: 1, toString: 3 });
});
