// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- What was measured is worth a line.

import { assertEquals, assertGreater } from "@std/assert";
import { Chaos } from "./chaos.ts";

Deno.test("Sixteen processes under six seconds of chaos: all agree afterwards, and the ledger balances", async () => {
  const log: string[] = [];
  await using chaos = new Chaos({ seed: 1, seconds: 6, log: (line) => log.push(line) });
  const { faults, acknowledged, failed, transferred, wrong } = await chaos.run();
  const messages = `${acknowledged} messages acknowledged, ${failed} given up`;
  console.log(`  ${faults} faults, ${messages}, ${transferred} streams complete; ${log.at(-1)}`);
  assertEquals(wrong, [], log.join("\n"));
  assertGreater(acknowledged, 0);
  assertGreater(transferred, 0);
});
