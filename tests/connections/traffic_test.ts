// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { OTHER_CHANNELS, Traffic } from "../../connections/traffic.ts";

Deno.test("Traffic keeps apart the channels of the node, and adds up those that only others have", () => {
  const traffic = new Traffic(["default", "bulk"]);
  traffic.closed("bulk", 1, 2);
  for (const name of ["theirs", "__proto__", "constructor"]) traffic.closed(name, 10, 20);
  traffic.closed("bulk", 3, 4);
  assertEquals([...traffic.channels].map(([name, { bytesIn, bytesOut }]) => [name, bytesIn, bytesOut]), [
    ["default", 0, 0],
    ["bulk", 4, 6],
    [OTHER_CHANNELS, 30, 60],
  ]);
});
