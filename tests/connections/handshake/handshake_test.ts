// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { FrameKind } from "../../../wire/frame_kind.ts";
import { ProtocolError } from "../../../wire/frame_reader.ts";
import { acceptHandshake, dialHandshake, HANDSHAKE_FRAME_BYTES } from "../../../connections/handshake/handshake.ts";
import { HELLO_BYTES_MAX, PROTOCOL_VERSIONS } from "../../../connections/handshake/hello.ts";
import { encode } from "../../../wire/message_pack_encode.ts";
import { NODE_SPEC_LIMITS } from "../../../wire/node_spec_check.ts";
import { FEATURES } from "../../../connections/handshake/introduction.ts";
import type { ClusterIdentity } from "../../../connections/handshake/session.ts";
import { HandshakeRefusedError, type Refusal } from "../../../connections/handshake/refusal.ts";
import { nodeSpec } from "../../node_spec.ts";
import { hello, introduction } from "../../cluster/hostile_client.ts";
import { concat, FakeStream, frame, pattern } from "../fake_stream.ts";
import { streamPair } from "../stream_pair.ts";
import {
  codeOf,
  endOf,
  identityOf,
  keyedSpec,
  messageOf,
  REQUEST,
  shake,
  type Sides,
  SPEC_B,
} from "./handshake_world.ts";
import { firstOf, nthOf, present } from "../../values.ts";

const ADMIT = { spec: SPEC_B, admit: () => Promise.resolve(null), isOccupied: () => false };

/** First message of a dialer in the cluster of these tests. */
function greeting(changes: Record<string, unknown> = {}): Uint8Array {
  return hello({ cluster: "blue", ...changes });
}

/** Answers a dialer whose bytes the test makes up. */
async function accept(
  secrets: readonly string[] = [],
  decisions: Partial<typeof ADMIT> = {},
): Promise<{ stream: FakeStream; accepting: Promise<unknown> }> {
  const stream = new FakeStream();
  const accepting = acceptHandshake(endOf(stream, await identityOf("b", secrets)), { ...ADMIT, ...decisions });
  accepting.catch(() => {});
  return { stream, accepting };
}

/** Dials an acceptor whose bytes the test makes up. */
async function dial(secrets: readonly string[] = []): Promise<{ stream: FakeStream; dialing: Promise<unknown> }> {
  const stream = new FakeStream();
  const dialing = dialHandshake(endOf(stream, await identityOf("a", secrets)), REQUEST);
  dialing.catch(() => {});
  return { stream, dialing };
}

function kindsOf(stream: FakeStream): number[] {
  return stream.writes.map((bytes) => nthOf(bytes, 4));
}

/** Answer of an acceptor in an open cluster. */
function ready(changes: Record<string, unknown> = {}): Uint8Array {
  return frame(FrameKind.ready, encode({ version: 2, spec: SPEC_B, features: [], maxFrameBytes: 2 ** 20, ...changes }));
}

Deno.test("a handshake tells each side who the other one is, which connection it is about, and what both can do", async () => {
  for (const secrets of [[], ["s3cret"]]) {
    const dialer = await identityOf("a", secrets, { features: ["one", "two", "three"], maxFrameBytes: 5000 });
    const acceptor = await identityOf("b", secrets, { features: ["three", "four", "one"], maxFrameBytes: 7000 });
    const { dialed, accepted } = await shake({ dialer, acceptor });
    assert(dialed.status === "fulfilled" && accepted.status === "fulfilled", `${messageOf(dialed)}`);
    assertEquals(dialed.value.spec, await keyedSpec("b", secrets));
    assertEquals(present(accepted.value).request, { ...REQUEST, spec: await keyedSpec("a", secrets) });
    for (const { version, features } of [dialed.value, present(accepted.value)]) {
      assertEquals([version, [...features].sort()], [2, ["one", "three"]]);
    }
    assertEquals([dialed.value.maxFrameBytes, present(accepted.value).maxFrameBytes], [7000, 5000]);
  }
});

Deno.test("a handshake succeeds where the dialer's preferred secret is one that the acceptor accepts, and not otherwise", async () => {
  const lists = ["x", "y", "z", "xy", "yx", "xz", "zx", "yz", "xyz", "zyx"].map((list) => [...list]);
  for (const ours of lists) {
    for (const theirs of lists) {
      const [dialer, acceptor] = [await identityOf("a", ours), await identityOf("b", theirs)];
      const { dialed, accepted } = await shake({ dialer, acceptor });
      const expected = theirs.includes(firstOf(ours)) ? "none" : "secret";
      assertEquals([codeOf(dialed), codeOf(accepted)], [expected, expected], `${ours} and ${theirs}`);
    }
  }
});

Deno.test("a handshake between nodes that do not belong together is refused with the reason on both sides", async () => {
  const [ours, theirs] = [await identityOf("a"), await identityOf("b")];
  const cases: [Partial<Sides>, string, string][] = [
    [{ dialer: await identityOf("a", [], { cluster: "green" }) }, "cluster", 'cluster is "green", expected "blue"'],
    [
      { dialer: await identityOf("a", [], { strategy: "star" }) },
      "strategy",
      'strategy is "star", expected "full-mesh"',
    ],
    [{ dialer: await identityOf("a", ["x"]) }, "secret", "use of a secret is true, expected false"],
    [{ acceptor: await identityOf("b", ["x"]) }, "secret", "use of a secret is false"],
    [{ request: { to: "c" } }, "wrong-node", 'Cannot reach "c": this address belongs to "b"'],
  ];
  for (const [sides, code, reason] of cases) {
    const { dialed, accepted } = await shake({ dialer: ours, acceptor: theirs, ...sides });
    assertEquals([codeOf(dialed), codeOf(accepted)], [code, code]);
    assertStringIncludes(messageOf(dialed), reason);
    assertStringIncludes(messageOf(accepted), reason);
  }
});

Deno.test("two nodes speak the newest version that both know, and refuse each other only where there is none", async () => {
  const cases: [[number, number], [number, number], number | null][] = [
    [[2, 2], [2, 2], 2],
    [[2, 4], [3, 9], 4],
    [[3, 9], [2, 4], 4],
    [[2, 4], [1, 2], 2],
    [[2, 2], [3, 3], null],
    [[3, 4], [1, 2], null],
  ];
  for (const secrets of [[], ["x"]]) {
    for (const [ours, theirs, common] of cases) {
      const [dialer, acceptor] = [
        await identityOf("a", secrets, { versions: ours }),
        await identityOf("b", secrets, { versions: theirs }),
      ];
      const { dialed, accepted } = await shake({ dialer, acceptor });
      const found = [dialed, accepted].map((side) =>
        side.status === "fulfilled" ? present(side.value).version : codeOf(side)
      );
      assertEquals(found, common === null ? ["version", "version"] : [common, common], `${ours} and ${theirs}`);
    }
  }
});

Deno.test("a hello of other versions is refused with both, whatever else there is behind it", async () => {
  const { stream, accepting } = await accept();
  stream.give(greeting({ versions: [7, 9] }).subarray(0, 4 + 1 + 15), pattern(100));
  await assertRejects(
    () => accepting,
    HandshakeRefusedError,
    `protocol version is 7 to 9, expected ${PROTOCOL_VERSIONS.join(" to ")}`,
  );
  assertEquals(kindsOf(stream), [FrameKind.refused]);
});

Deno.test("a refusal by admission reaches the dialer as it is", async () => {
  const refusal: Refusal = { code: "stale-incarnation", reason: "Cannot accept: too old", known: 99 };
  for (const secrets of [[], ["x"]]) {
    const [dialer, acceptor] = [await identityOf("a", secrets), await identityOf("b", secrets)];
    const { dialed, accepted } = await shake({ dialer, acceptor, admit: () => Promise.resolve(refusal) });
    for (const result of [dialed, accepted]) {
      assert(result.status === "rejected");
      assertEquals(result.reason.refusal, refusal);
    }
  }
});

Deno.test("a dialer takes no other node than the one it meant, even if the acceptor did not mind, and not itself", async () => {
  for (
    const [name, code, reason] of [["c", "wrong-node", 'Cannot reach "b": 10.0.0.9:4242 belongs to "c"'], [
      "a",
      "self",
      "the name of this node",
    ]] as const
  ) {
    const { stream, dialing } = await dial();
    stream.give(ready({ spec: nodeSpec(name) }));
    const error = await assertRejects(() => dialing, HandshakeRefusedError, reason);
    assertEquals(error.refusal.code, code);
  }
});

const GARBAGE: readonly Uint8Array[] = [
  new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
  new Uint8Array(5),
  new Uint8Array(64).fill(0xff),
  frame(FrameKind.ping, [0, 0, 0, 1]),
  frame(FrameKind.message, pattern(50)),
  frame(0xee),
];

Deno.test("an acceptor gives up on garbage instead of a hello, and on garbage instead of an introduction", async () => {
  const bodies = [[], [0xc1], encode(null), encode([1, 2]), encode("hello"), encode(pattern(9)), pattern(300)];
  const misplaced = frame(FrameKind.welcome, greeting().subarray(5));
  for (const bytes of [...GARBAGE, misplaced, ...bodies.map((body) => frame(FrameKind.hello, body))]) {
    const { stream, accepting } = await accept();
    stream.give(bytes);
    stream.end();
    await assertRejects(() => accepting, ProtocolError);
  }
  const first = greeting().subarray(0, greeting().length - introduction().length);
  for (const bytes of [...GARBAGE, first, ...bodies.map((body) => frame(FrameKind.introduction, body))]) {
    const { stream, accepting } = await accept();
    stream.give(first, bytes);
    stream.end();
    await assertRejects(() => accepting, ProtocolError);
  }
});

Deno.test("an acceptor gives up on 60 KB of empty maps before it has made them all, and takes the largest specification", async () => {
  const first = greeting().subarray(0, greeting().length - introduction().length);
  const maps = new Uint8Array(60_000).fill(0x80);
  maps.set([0xdc, (maps.length - 3) >> 8, (maps.length - 3) & 0xff]);
  const { stream, accepting } = await accept();
  stream.give(first, frame(FrameKind.introduction, maps));
  const error = await assertRejects(() => accepting, ProtocolError);
  assertMatch(`${(error.cause as Error).message}`, /more elements than the 32768/);

  const { addresses, channels, metadataSize } = NODE_SPEC_LIMITS;
  const channel = { parallelism: 64, monotonic: false, compression: false };
  const names = Array.from({ length: channels - 2 }, (_, number) => `channel ${number}`);
  const spec = nodeSpec(REQUEST.spec.name, 1, {
    addresses: Array.from({ length: addresses }, (_, port) => ({ hostname: "192.0.2.1", port })),
    channels: Object.fromEntries(["default", "membership", ...names].map((name) => [name, channel])),
    metadata: { list: Array.from({ length: metadataSize / 8 - 16 }, () => []) },
  });
  const { dialed, accepted } = await shake({
    dialer: await identityOf("a"),
    acceptor: await identityOf("b"),
    request: { spec },
  });
  assertEquals([dialed.status, accepted.status], ["fulfilled", "fulfilled"]);
});

Deno.test("an acceptor gives up on a hello that lies about its lengths", async () => {
  const valid = greeting().slice(5, 5 + 15);
  for (const [at, value] of [[8, 2], [9, 1], [10, 5], [4, 9], [0, 0]] as const) {
    const body = valid.slice();
    body[at] = value;
    const { stream, accepting } = await accept();
    stream.give(frame(FrameKind.hello, body));
    await assertRejects(() => accepting, ProtocolError, "the hello is malformed");
  }
});

Deno.test("a dialer gives up on garbage instead of an answer", async () => {
  const bodies = [[], [0xc1], encode(null), encode({}), encode({ version: 2, spec: SPEC_B })];
  const wrong = [{ version: 3 }, { version: "2" }, { spec: null }, { features: "x" }, { maxFrameBytes: 1 }].map(ready);
  for (const bytes of [...GARBAGE, ...wrong, ...bodies.map((body) => frame(FrameKind.ready, body))]) {
    const { stream, dialing } = await dial();
    stream.give(bytes);
    stream.end();
    await assertRejects(() => dialing, ProtocolError);
  }
});

Deno.test("an acceptor gives up on an introduction with any field missing or of another type", async () => {
  const fields = ["spec", "to", "toIncarnation", "channel", "index", "dial", "seen", "features", "maxFrameBytes"];
  for (const field of fields) {
    for (const value of [undefined, true, -1, 1.5, 2 ** 60, pattern(3), ["x".repeat(65)], Array(65).fill("x"), {}]) {
      const { stream, accepting } = await accept();
      stream.give(greeting({ [field]: value }));
      await assertRejects(() => accepting, ProtocolError, "the introduction is malformed", `${field}: ${value}`);
      assertEquals(stream.writes, []);
    }
  }
});

Deno.test("an acceptor says what is wrong with a node spec", async () => {
  const { stream, accepting } = await accept();
  stream.give(greeting({ spec: { ...nodeSpec("a"), name: "x".repeat(300) } }));
  await assertRejects(() => accepting, ProtocolError, "the introduction is malformed (Invalid name: expected 1 to 255");
});

Deno.test("an acceptor gives up when the stream ends within what a dialer says, and returns null when it ends before", async () => {
  const bytes = greeting();
  const border = bytes.length - introduction().length;
  for (let length = 0; length < bytes.length; length++) {
    const { stream, accepting } = await accept();
    stream.give(bytes.subarray(0, length));
    stream.end();
    if (length === 0) assertEquals(await accepting, null);
    else {await assertRejects(
        () => accepting,
        Error,
        length === border ? "the other end closed" : "the stream ended within it",
      );}
  }
});

Deno.test("both sides give up when the other one closes instead of answering", async () => {
  for (const secrets of [[], ["x"]]) {
    const { stream, dialing } = await dial(secrets);
    stream.end();
    await assertRejects(() => dialing, ProtocolError, "the other end closed the connection");
  }
});

Deno.test("both sides refuse a frame of the handshake that is too long by its header, a hello from 4 KiB on", async () => {
  const header = (length: number) => {
    const bytes = new Uint8Array(5);
    new DataView(bytes.buffer).setUint32(0, length);
    return bytes;
  };
  const accepting = await accept();
  accepting.stream.give(header(HELLO_BYTES_MAX + 1));
  await assertRejects(() => accepting.accepting, ProtocolError, "the limit is 4096");
  const introduced = await accept();
  introduced.stream.give(
    greeting().subarray(0, greeting().length - introduction().length),
    header(HANDSHAKE_FRAME_BYTES + 1),
  );
  await assertRejects(() => introduced.accepting, ProtocolError, `the limit is ${HANDSHAKE_FRAME_BYTES}`);
  const dialing = await dial();
  dialing.stream.give(header(HANDSHAKE_FRAME_BYTES + 1));
  await assertRejects(() => dialing.dialing, ProtocolError, `the limit is ${HANDSHAKE_FRAME_BYTES}`);
});

Deno.test("what comes right behind the handshake is left to the next reader", async () => {
  const stream = new FakeStream();
  const end = endOf(stream, await identityOf("b"));
  stream.give(concat(greeting(), frame(FrameKind.ping, [1, 2, 3, 4])));
  const session = await acceptHandshake(end, ADMIT);
  assertEquals(await present(session).reader.next(), { kind: FrameKind.ping, body: Uint8Array.of(1, 2, 3, 4) });
});

Deno.test("a refusal with an unknown code means to try again later, and its reason is cut short", async () => {
  const { stream, dialing } = await dial();
  stream.give(frame(FrameKind.refused, encode({ code: "too-hot", reason: "x".repeat(5000), known: -1 })));
  const error = await assertRejects(() => dialing, HandshakeRefusedError);
  assertEquals(error.refusal, { code: "stopping", reason: "x".repeat(1024) });
});

Deno.test("a dialer does not wait to refuse an acceptor that is gone", async () => {
  const { stream, dialing } = await dial();
  stream.give(ready({ spec: nodeSpec("c") }));
  await Promise.resolve();
  stream.writeError = new Error("Broken pipe");
  await assertRejects(() => dialing, HandshakeRefusedError, 'belongs to "c"');
});

Deno.test("acceptHandshake() lets a dialer take an occupied slot once it has shown that it is still there", async () => {
  const [near, far] = await streamPair();
  const dialing = dialHandshake(endOf(near, await identityOf("a")), REQUEST);
  const decisions = { ...ADMIT, isOccupied: () => true };
  const accepted = await acceptHandshake(endOf(far, await identityOf("b")), decisions);
  assertEquals(accepted?.request.dial, REQUEST.dial);
  assertEquals((await dialing).spec.name, "b");
  near.close();
  far.close();
});

Deno.test("acceptHandshake() lets no node take an occupied slot that gave up after the hello", async () => {
  const [near, far] = await streamPair();
  // What a dial leaves behind that waited in the accept queue of a process that was stopped.
  const given = dialHandshake(endOf(near, await identityOf("a")), REQUEST).catch(() => "gave up");
  near.close();
  assertEquals(await given, "gave up");
  const accepting = acceptHandshake(endOf(far, await identityOf("b")), { ...ADMIT, isOccupied: () => true });
  await assertRejects(() => accepting);
  far.close();
});

for (const secrets of [[], ["x"]]) {
  const kind = secrets.length === 0 ? "an open" : "a sealed";
  Deno.test(`both sides of ${kind} handshake learn whether the other one wants connections, where the dialer says so and both know how`, async () => {
    const old = { features: FEATURES.filter((feature) => feature !== "interest") };
    const interests = async (wanted: boolean | undefined, isWanted: boolean, ...parts: Partial<ClusterIdentity>[]) => {
      const [dialer, acceptor] = [
        await identityOf("a", secrets, parts[0]),
        await identityOf("b", secrets, parts[1]),
      ];
      const request = wanted === undefined ? {} : { wanted };
      const { dialed, accepted } = await shake({ dialer, acceptor, request, isWanted: () => isWanted });
      assert(dialed.status === "fulfilled" && accepted.status === "fulfilled");
      return [dialed.value.interests, accepted.value?.interests];
    };
    for (const [ours, theirs] of [[true, true], [true, false], [false, true], [false, false]] as const) {
      assertEquals(await interests(ours, theirs), [{ ours, theirs }, { ours: theirs, theirs: ours }]);
    }
    assertEquals(await interests(undefined, true), [undefined, undefined]);
    assertEquals(await interests(true, true, old, {}), [undefined, undefined]);
    assertEquals(await interests(true, true, {}, old), [undefined, undefined]);
  });
}

Deno.test("both sides give up on an interest that is neither true nor false", async () => {
  for (const wanted of [null, 1, "true"]) {
    const { stream: toAcceptor, accepting } = await accept();
    toAcceptor.give(greeting({ wanted }));
    await assertRejects(() => accepting, ProtocolError, "the introduction is malformed");
    const { stream: toDialer, dialing } = await dial();
    toDialer.give(ready({ wanted }));
    await assertRejects(() => dialing, ProtocolError, "the answer is malformed");
  }
});
