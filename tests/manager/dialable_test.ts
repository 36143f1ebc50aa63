// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type PeerServiceOptions, startPeerService, StoppedError } from "../../mod.ts";
import { isWildcard } from "../../manager/addresses.ts";
import { scenario } from "./worlds.ts";

const WILDCARDS = [
  ...["0.0.0.0", "0", "0x0", "00", "0.0", "0.0.0", "0x0.0", "000.000.000.000"],
  ...[
    "::",
    "[::]",
    "::0",
    "0::0",
    "0:0:0:0:0:0:0:0",
    "::0.0.0.0",
    "::ffff:0.0.0.0",
    "[::ffff:0.0.0.0]",
    "::FFFF:0:0",
    "::%lo",
  ],
];
const OTHERS = [
  "127.0.0.1",
  "::1",
  "::ffff:127.0.0.1",
  "localhost",
  "0.0.0.1",
  "peers",
  "a",
  "node-0",
  "0.example",
  "10.0.0.0",
];

Deno.test("isWildcard() knows every spelling of the address that stands for all, and nothing else", () => {
  assertEquals(WILDCARDS.filter((hostname) => !isWildcard(hostname)), []);
  assertEquals(OTHERS.filter(isWildcard), []);
});

Deno.test("startPeerService() refuses to tell others a wildcard address or port 0, with what to do", async () => {
  const refused = async (options: PeerServiceOptions, words: string) => {
    const error = await assertRejects(() => startPeerService(options), Error, words);
    assert(error instanceof TypeError || error instanceof RangeError);
  };
  for (const hostname of WILDCARDS) {
    await refused({ listen: { hostname, port: 0 } }, 'say in "advertise" how they reach this node');
    await refused({ advertise: { hostname, port: 80 } }, "say by which address or name others reach it");
  }
  await refused(
    { advertise: "host:0" },
    `"advertise" is "host:0", and port 0 cannot be dialed; say the port that others dial`,
  );
  await refused({ advertise: ["10.0.0.1:80", "0.0.0.0:80"] }, "cannot be dialed");
});

Deno.test("startPeerService() rejects what cannot be used, and throws nothing", async () => {
  const started = startPeerService({ joinTimeout: -1 });
  await assertRejects(() => started, RangeError, `"joinTimeout" is -1`);
});

Deno.test("startPeerService() refuses a specification that no handshake can carry, and takes what is documented", async () => {
  const long = (n: number) => `${n}`.padEnd(255, "\u4e2d");
  const channels = Object.fromEntries(Array.from({ length: 62 }, (_, n) => [long(n), {}]));
  const advertise = Array.from({ length: 32 }, (_, n) => ({ hostname: long(n), port: 1 }));
  await assertRejects(() => startPeerService({ channels, advertise }), RangeError, "bytes together, expected at most");
  await using a = await startPeerService({ name: long(1), cluster: long(2), metadata: { text: "x".repeat(8_000) } });
  await using b = await startPeerService({ name: long(3), cluster: long(2), channels });
  await b.syncJoin(a.spec);
  assertEquals(b.members(), [long(1), long(3)].sort());
});

scenario("join() and syncJoin() refuse an address that cannot be dialed", async (world) => {
  const a = await world.start("a");
  await assertRejects(() => a.join("host:0"), RangeError, "port 0 cannot be dialed");
  await assertRejects(() => a.syncJoin("0.0.0.0:9090"), TypeError, "cannot be dialed");
});

scenario("leave() rejects after stop(), and throws nothing", async (world) => {
  const a = await world.start("a");
  await a.stop();
  const left = a.leave();
  await assertRejects(() => left, StoppedError);
  const removed = a.leave("b");
  await assertRejects(() => removed, StoppedError);
});
