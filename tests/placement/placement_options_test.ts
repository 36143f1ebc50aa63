// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import { type CallOwnerOptions, Placement, type PlacementOptions, type RunOnOneOptions } from "../../placement/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { assertRefuses, type Refusing } from "../refused_options.ts";

const task = () => Promise.resolve();

function refusing(node: PeerServiceManager, placement: Placement): Refusing[] {
  return [
    {
      call: (options) => new Placement(node, options as PlacementOptions),
      action: "Cannot place work",
      option: "weight",
      refused: [
        [{ group: 5, weight: 2 }, TypeError, '"group" is 5, expected a string'],
        [{ weight: "2" }, TypeError, '"weight" is "2", expected a number'],
        [{ weight: 0 }, RangeError, "weight is 0, expected a number above 0"],
      ],
    },
    {
      call: (options) => placement.callOwner("k", "h", 1, options as CallOwnerOptions),
      rejects: true,
      action: 'Cannot call "h" on the owner of "k"',
      option: "timeout",
      refused: [
        [{ signal: new AbortController() }, TypeError, '"signal" is a AbortController, expected an AbortSignal'],
        [{ timeout: "5" }, RangeError, '"timeout" is 5; expected milliseconds, 0 or more'],
      ],
    },
    {
      call: (options) => placement.runOnOne("sweep", task, options as RunOnOneOptions),
      action: 'Cannot run "sweep"',
      option: "quorum",
      refused: [
        [{ quorum: "most" }, TypeError, '"quorum" is "most", expected "majority" or a number'],
        [{ quorum: 0 }, RangeError, 'quorum is 0, expected "majority" or a whole number from 1'],
        [{ stableAfter: "0" }, TypeError, '"stableAfter" is "0", expected a number'],
        [{ stableAfter: -1 }, RangeError, '"stableAfter" is -1; expected milliseconds, 0 or more'],
        [{ stableAfter: NaN }, RangeError, '"stableAfter" is NaN; expected milliseconds, 0 or more'],
      ],
    },
  ];
}

scenario(
  "The options of placement are refused where they can be none, and nothing has happened then",
  async (world) => {
    const [node] = await world.cluster(["a"]);
    const placement = new Placement(node);
    for (const each of refusing(node, placement)) await assertRefuses(each);
    assertThrows(() => new Placement(node, { group: "", weight: 2 }), TypeError, 'Cannot use "" as a group');
    assertEquals(node.attributes(), new Map());
  },
);

scenario("Options of placement that are undefined, and none at all, are as if they were not given", async (world) => {
  const [node] = await world.cluster(["a"]);
  node.register("echo", (message) => message);
  const nothing = { group: undefined, weight: undefined, timeout: undefined, signal: undefined, misspelt: undefined };
  const untyped = { ...nothing, quorum: undefined, stableAfter: undefined } as unknown as Record<string, never>;
  for (const options of [undefined, untyped, Object.create(untyped)]) {
    using placement = new Placement(node, options);
    assertEquals(await placement.callOwner("k", "echo", 1, options), 1);
    let runs = 0;
    using _task = placement.runOnOne("sweep", () => Promise.resolve(void runs++), options);
    await world.until("the task has run", () => runs > 0);
  }
  new Placement(node, { group: undefined, weight: undefined })[Symbol.dispose]();
  new Placement(node, { group: "workers", weight: 2 })[Symbol.dispose]();
});
