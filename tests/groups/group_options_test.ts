// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import {
  type GroupCallOptions,
  type GroupJoinOptions,
  Groups,
  type GroupsOptions,
  Names,
  type NamesOptions,
  Presence,
  type PresenceOptions,
  type PublishOptions,
  SharedMap,
  type SharedMapOptions,
} from "../../groups/mod.ts";
import type { PeerServiceManager } from "../../mod.ts";
import { memoryStore } from "../../testing/memory_store.ts";
import { scenario } from "../manager/worlds.ts";
import { assertRefuses, type Refusing } from "../refused_options.ts";

function refusing(node: PeerServiceManager): Refusing[] {
  const groups = new Groups(node);
  const pick = "random";
  return [
    {
      call: (options) => new Groups(node, options as GroupsOptions),
      action: "Cannot make groups",
      option: "scope",
      refused: [[{ scope: 5 }, TypeError, '"scope" is 5, expected a string']],
    },
    {
      call: (options) => groups.join("g", options as GroupJoinOptions),
      action: 'Cannot join "g"',
      option: "handler",
      refused: [
        [{ handler: "log" }, TypeError, '"handler" is "log", expected a function'],
        [{ handler: null }, TypeError, '"handler" is null, expected a function'],
        [{ weight: "2" }, TypeError, '"weight" is "2", expected a number'],
      ],
    },
    {
      call: (options) => groups.publish("g", 1, options as PublishOptions),
      action: 'Cannot publish to "g"',
      option: "except",
      refused: [
        [{ except: 5 }, TypeError, '"except" is 5, expected the name of a node or what join() returned'],
        [{ except: null }, TypeError, '"except" is null, expected the name of a node or what join() returned'],
        [{ except: ["a"] }, TypeError, '"except" is an array, expected the name of a node or what join() returned'],
        [{ ordered: 1 }, TypeError, '"ordered" is 1, expected a boolean'],
      ],
    },
    {
      call: (options) => groups.call("g", 1, options as GroupCallOptions),
      rejects: true,
      action: 'Cannot call the group "g"',
      option: "pick",
      refused: [
        [undefined, TypeError, '"pick" is undefined, expected "random"'],
        [{ pick: 5n }, TypeError, '"pick" is a bigint, expected "random"'],
        [{ pick, signal: new AbortController() }, TypeError, '"signal" is a AbortController, expected an AbortSignal'],
        [{ pick, timeout: "5" }, RangeError, '"timeout" is 5; expected milliseconds, 0 or more'],
      ],
    },
    {
      call: (options) => new Names(node, options as NamesOptions),
      action: "Cannot make names",
      option: "onConflict",
      refused: [
        [{ onConflict: "later" }, TypeError, '"onConflict" is "later", expected a function'],
        [{ scope: 5 }, TypeError, '"scope" is 5, expected a string'],
      ],
    },
    {
      call: (options) => new Presence(node, options as PresenceOptions),
      action: "Cannot make a presence",
      option: "scope",
      refused: [[{ scope: 5 }, TypeError, '"scope" is 5, expected a string']],
    },
    {
      call: (options) => new SharedMap(node, "m", options as SharedMapOptions<unknown>),
      action: 'Cannot use the map "m"',
      option: "store",
      refused: [
        [{ merge: "last" }, TypeError, '"merge" is "last", expected a function'],
        [{ store: "m.db" }, TypeError, '"store" is "m.db", expected a store with load() and save()'],
        [{ store: { load: () => {} } }, TypeError, '"store" is an object, expected a store with load() and save()'],
        [{ maxEntries: "5" }, TypeError, '"maxEntries" is "5", expected a number'],
        [{ maxBytes: 5_000n }, TypeError, '"maxBytes" is a bigint, expected a number'],
      ],
    },
  ];
}

scenario("The options of groups are refused where they can be none, and nothing has happened then", async (world) => {
  const [node] = await world.cluster(["a"]);
  for (const each of refusing(node)) await assertRefuses(each);
  assertEquals([new Groups(node).groups(), node.attributes()], [[], new Map()]);
});

scenario("Options of groups that are undefined, and none at all, are as if they were not given", async (world) => {
  const [node] = await world.cluster(["a"]);
  const heard: unknown[] = [];
  const nothing = {
    ...{ scope: undefined, meta: undefined, handler: undefined, weight: undefined, except: undefined },
    ...{ ordered: undefined, timeout: undefined, signal: undefined, onConflict: undefined, misspelt: undefined },
    ...{ merge: undefined, store: undefined, maxEntries: undefined, maxBytes: undefined },
  };
  const untyped = nothing as unknown as Record<string, never>;
  for (const options of [undefined, untyped, Object.create(untyped)]) {
    const groups = new Groups(node, options);
    using member = groups.join("g", options);
    using _taker = groups.join("g", { ...options, handler: (message) => heard.push(message) });
    groups.publish("g", 1, options);
    groups.publish("g", 2, { ...options, except: member });
    const pick = { key: "x" };
    const called = await groups.call("g", 3, { ...options, pick, timeout: undefined, signal: undefined });
    assertEquals(typeof called, "number");
    assertEquals(await new Names(node, options).claim("n").then((claim) => claim[Symbol.dispose]()), undefined);
    new Presence(node, options).track("room", "ada", null)[Symbol.dispose]();
    assertEquals(new SharedMap(node, "m", options).set("k", 1).get("k"), 1);
  }
  assertEquals(new SharedMap(node, "kept", { store: memoryStore() }).size, 0);
  assertEquals(heard, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
});
