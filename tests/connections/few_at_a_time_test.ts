// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { FewAtATime } from "../../connections/few_at_a_time.ts";
import { nthOf, present } from "../values.ts";

Deno.test("FewAtATime.run() begins work in order, no more than the limit at a time, also after some has failed", async () => {
  const few = new FewAtATime(2);
  const begun: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const runs = [0, 1, 2, 3].map((number) => {
    ends.push(Promise.withResolvers<void>());
    return few.run(() => {
      begun.push(number);
      return present(ends[number]).promise;
    });
  });
  assertEquals(begun, [0, 1]);
  nthOf(ends, 1).reject(new Error("No such luck"));
  assertEquals(await Promise.allSettled([runs[1]]).then(([{ status }]) => status), "rejected");
  assertEquals(begun, [0, 1, 2]);
  for (const end of ends) end.resolve();
  await Promise.allSettled(runs);
  assertEquals(begun, [0, 1, 2, 3]);
});

Deno.test("FewAtATime.forget() drops what has not begun, which resolves, and goes on to work", async () => {
  const few = new FewAtATime(1);
  const end = Promise.withResolvers<void>();
  const begun: string[] = [];
  const first = few.run(() => end.promise);
  const second = few.run(() => Promise.resolve(void begun.push("second")));
  few.forget();
  await second;
  end.resolve();
  await first;
  await few.run(() => Promise.resolve(void begun.push("third")));
  assertEquals(begun, ["third"]);
});
