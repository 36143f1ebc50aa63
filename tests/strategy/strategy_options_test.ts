// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import {
  clientServer,
  fullMesh,
  type FullMeshOptions,
  hyparview,
  type HyParViewOptions,
  scampV1,
  scampV2,
  type ScampV2Options,
  staticOverlay,
} from "../../strategy/mod.ts";
import { assertRefuses, type Refused, type Refusing } from "../refused_options.ts";

/** Options that count something, and the kind of each. */
function counting(...names: readonly string[]): Refused[] {
  return names.map((name) => [{ [name]: "8" }, TypeError, `"${name}" is "8", expected a number`]);
}

const MESH = counting("fanout", "forgetAfter", "membersMax");
const SCAMP = counting("c", "viewSizeMax", "forgetAfter");
const HYPARVIEW = [
  ...counting("activeSize", "passiveSize", "activeWalk", "passiveWalk"),
  ...counting("shuffleActive", "shufflePassive", "shuffleInterval", "forgetAfter"),
];
const cost = () => 1;

const REFUSING: readonly Refusing[] = [
  {
    call: (options) => fullMesh(options as FullMeshOptions),
    action: 'Cannot use the strategy "full-mesh"',
    option: "fanout",
    refused: MESH,
  },
  {
    call: (options) => clientServer(options as FullMeshOptions),
    action: 'Cannot use the strategy "client-server"',
    option: "fanout",
    refused: MESH,
  },
  {
    call: (options) => staticOverlay([["a", "b"]], options as FullMeshOptions),
    action: 'Cannot use the strategy "static"',
    option: "fanout",
    refused: MESH,
  },
  {
    call: (options) => scampV1(options as ScampV2Options),
    action: 'Cannot use the strategy "scamp-v1"',
    option: "viewSizeMax",
    refused: [...SCAMP, [{ lease: 600 }, TypeError, 'there is no option "lease", only "c"']],
  },
  {
    call: (options) => scampV2(options as ScampV2Options),
    action: 'Cannot use the strategy "scamp-v2"',
    option: "lease",
    refused: [...SCAMP, ...counting("lease", "heartbeat")],
  },
  {
    call: (options) => hyparview(options as HyParViewOptions),
    action: 'Cannot use the strategy "hyparview"',
    option: "activeSize",
    refused: [
      ...HYPARVIEW,
      [{ xbot: cost }, TypeError, '"xbot" is a function, expected an object'],
      [{ xbot: {} }, TypeError, '"xbot": "cost" is undefined, expected a function'],
      [{ xbot: { cost: 1 } }, TypeError, '"xbot": "cost" is 1, expected a function'],
      [{ xbot: { cost, unbiased: "1" } }, TypeError, '"xbot": "unbiased" is "1", expected a number'],
      [{ xbot: { cost, scanned: null } }, TypeError, '"xbot": "scanned" is null, expected a number'],
      [{ xbot: { cost, interval: true } }, TypeError, '"xbot": "interval" is true, expected a number'],
      [{ xbot: { cost, scaned: 2 } }, TypeError, '"xbot": there is no option "scaned", only "cost"'],
    ],
  },
];

Deno.test("The options of strategies are refused where they can be none", async () => {
  for (const each of REFUSING) await assertRefuses(each);
});

Deno.test("Options of strategies that are undefined, and none at all, are as if they were not given", () => {
  const nothing = { fanout: undefined, c: undefined, lease: undefined, xbot: undefined, misspelt: undefined };
  for (const options of [undefined, nothing as unknown as Record<string, never>]) {
    const strategies = [fullMesh, clientServer, scampV1, scampV2, hyparview].map((make) => make(options));
    assertEquals(strategies.map(({ name }) => name), [
      "full-mesh",
      "client-server",
      "scamp-v1",
      "scamp-v2",
      "hyparview",
    ]);
    assertEquals(staticOverlay([], options).name, "static");
  }
  assertEquals(hyparview({ activeSize: undefined, xbot: { cost, scanned: undefined } }).name, "hyparview");
});
