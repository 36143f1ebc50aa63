// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { FrameKind } from "../../../wire/frame_kind.ts";
import { FrameReader, ProtocolError } from "../../../wire/frame_reader.ts";
import {
  acceptHandshake,
  type ClusterIdentity,
  type ConnectionRequest,
  dialHandshake,
  HANDSHAKE_FRAME_BYTES,
} from "../../../connections/handshake/handshake.ts";
import { decode } from "../../../wire/message_pack_decode.ts";
import { encode } from "../../../wire/message_pack_encode.ts";
import { HandshakeRefusedError, type Refusal, type RefusalCode } from "../../../connections/handshake/refusal.ts";
import { importSecrets } from "../../../connections/handshake/shared_secrets.ts";
import type { ByteStream } from "../../../transport/transport.ts";
import { nodeSpec } from "../../node_spec.ts";
import { seededRandom } from "../../seeded_random.ts";
import { bareRuntime } from "../bare_runtime.ts";
import { concat, FakeStream, frame, pattern, settled } from "../fake_stream.ts";
import { relay, streamPair } from "../stream_pair.ts";

const SPEC_A = nodeSpec("a", 10);
const SPEC_B = nodeSpec("b", 20);
const REQUEST: ConnectionRequest = {
  spec: SPEC_A,
  to: "b",
  toIncarnation: 20,
  channel: "default",
  index: 0,
  dial: 7,
  seen: 3,
};
const runtime = bareRuntime();

async function identity(
  secrets: readonly string[] = [],
  parts: Partial<ClusterIdentity> = {},
): Promise<ClusterIdentity> {
  return { cluster: "blue", strategy: "full-mesh", secrets: await importSecrets(runtime, secrets), ...parts };
}

/** How the two sides of a handshake ended. */
interface Outcome {
  readonly dialled: PromiseSettledResult<unknown>;
  readonly accepted: PromiseSettledResult<unknown>;
}

interface Sides {
  readonly dialler: ClusterIdentity;
  readonly acceptor: ClusterIdentity;
  readonly request?: Partial<ConnectionRequest>;
  readonly admit?: (request: ConnectionRequest) => Promise<Refusal | null>;
}

async function shake(sides: Sides, ends?: [ByteStream, ByteStream]): Promise<Outcome> {
  const [near, far] = ends ?? await streamPair();
  const dialling = dialHandshake(endOf(near, sides.dialler), { ...REQUEST, ...sides.request });
  const accepting = acceptHandshake(endOf(far, sides.acceptor), SPEC_B, sides.admit ?? (() => Promise.resolve(null)));
  // Whoever fails closes, as the opener does.
  dialling.catch(() => near.close());
  accepting.catch(() => far.close());
  const [dialled, accepted] = await Promise.allSettled([dialling, accepting]);
  return { dialled, accepted };
}

function endOf(stream: ByteStream, identity: ClusterIdentity) {
  return { stream, reader: new FrameReader(stream, HANDSHAKE_FRAME_BYTES), identity, runtime };
}

function codeOf(result: PromiseSettledResult<unknown>): RefusalCode | "protocol error" | "none" {
  if (result.status === "fulfilled") return "none";
  if (result.reason instanceof HandshakeRefusedError) return result.reason.refusal.code;
  assertInstanceOf(result.reason, ProtocolError, `${result.reason}`);
  return "protocol error";
}

function messageOf(result: PromiseSettledResult<unknown>): string {
  return result.status === "fulfilled" ? "" : result.reason.message;
}

/** Answers a dialler whose bytes the test makes up. */
async function accept(secrets: readonly string[] = []): Promise<{ stream: FakeStream; accepting: Promise<unknown> }> {
  const stream = new FakeStream();
  const accepting = acceptHandshake(endOf(stream, await identity(secrets)), SPEC_B, () => Promise.resolve(null));
  accepting.catch(() => {});
  return { stream, accepting };
}

/** Dials an acceptor whose bytes the test makes up. */
async function dial(secrets: readonly string[] = []): Promise<{ stream: FakeStream; dialling: Promise<unknown> }> {
  const stream = new FakeStream();
  const dialling = dialHandshake(endOf(stream, await identity(secrets)), REQUEST);
  dialling.catch(() => {});
  await settled();
  return { stream, dialling };
}

/** The body of a hello as `dialHandshake` writes it, with some fields changed. */
async function hello(changes: Record<string, unknown> = {}, secrets: readonly string[] = []): Promise<Uint8Array> {
  const { stream } = await dial(secrets);
  return encode({ ...decode(stream.written().subarray(5)) as object, ...changes });
}

function kindsOf(stream: FakeStream): number[] {
  return stream.writes.map((bytes) => bytes[4]!);
}

Deno.test("a handshake tells each side who the other one is and which connection it is about", async () => {
  for (const secrets of [[], ["s3cret"]]) {
    const side = await identity(secrets);
    const { dialled, accepted } = await shake({ dialler: side, acceptor: side });
    assertEquals(dialled, { status: "fulfilled", value: SPEC_B });
    assertEquals(accepted, { status: "fulfilled", value: REQUEST });
  }
});

Deno.test("a handshake succeeds with any two lists of secrets that have one in common, and with no others", async () => {
  const lists = ["x", "y", "z", "xy", "yx", "xz", "zx", "yz", "xyz", "zyx"].map((list) => [...list]);
  for (const ours of lists) {
    for (const theirs of lists) {
      const { dialled, accepted } = await shake({ dialler: await identity(ours), acceptor: await identity(theirs) });
      const expected = ours.some((secret) => theirs.includes(secret)) ? "none" : "secret";
      assertEquals([codeOf(dialled), codeOf(accepted)], [expected, expected], `${ours} and ${theirs}`);
    }
  }
});

Deno.test("a handshake between nodes that do not belong together is refused with the reason on both sides", async () => {
  const ours = await identity();
  const cases: [Partial<Sides>, RefusalCode, string][] = [
    [{ dialler: await identity([], { cluster: "green" }) }, "cluster", 'cluster is "green", expected "blue"'],
    [{ dialler: await identity([], { strategy: "star" }) }, "strategy", 'strategy is "star", expected "full-mesh"'],
    [{ dialler: await identity(["x"]) }, "secret", "use of a secret is true, expected false"],
    [{ acceptor: await identity(["x"]) }, "secret", "use of a secret is false, expected true"],
    [{ request: { to: "c" } }, "wrong-node", 'Cannot reach "c": this address belongs to "b"'],
  ];
  for (const [sides, code, reason] of cases) {
    const { dialled, accepted } = await shake({ dialler: ours, acceptor: ours, ...sides });
    assertEquals([codeOf(dialled), codeOf(accepted)], [code, code]);
    assertStringIncludes(messageOf(dialled), reason);
    assertStringIncludes(messageOf(accepted), reason);
  }
});

Deno.test("a hello of another version is refused with both versions, whatever else it says", async () => {
  for (const version of [0, 2, "1", null]) {
    const { stream, accepting } = await accept();
    stream.give(frame(FrameKind.hello, encode({ version, somethingNew: [1, 2] })));
    await assertRejects(
      () => accepting,
      HandshakeRefusedError,
      `protocol version is ${version === "1" ? '"1"' : version}, expected 1`,
    );
    assertEquals(kindsOf(stream), [FrameKind.refused]);
  }
});

Deno.test("a refusal by admission reaches the dialler as it is", async () => {
  const refusal: Refusal = { code: "stale-incarnation", reason: "Cannot accept: too old", known: 99 };
  for (const secrets of [[], ["x"]]) {
    const side = await identity(secrets);
    const { dialled, accepted } = await shake({ dialler: side, acceptor: side, admit: () => Promise.resolve(refusal) });
    for (const result of [dialled, accepted]) {
      assert(result.status === "rejected");
      assertEquals(result.reason.refusal, refusal);
    }
  }
});

Deno.test("a stranger is not asked for admission, and not believed what it knows about incarnations", async () => {
  let asked = 0;
  const admit = () => Promise.resolve(asked++ as unknown as null);
  await shake({ dialler: await identity(["x"]), acceptor: await identity(["y"]), admit });
  assertEquals(asked, 0);

  const lie = encode({ code: "stale-incarnation", reason: "Cannot accept: too old", known: 2 ** 52 });
  const { stream, dialling } = await dial(["x"]);
  stream.give(frame(FrameKind.refused, lie));
  const error = await assertRejects(() => dialling, HandshakeRefusedError);
  assertEquals(error.refusal, { code: "stale-incarnation", reason: "Cannot accept: too old" });
});

Deno.test("a dialler proves nothing to an acceptor that has not proved itself", async () => {
  const inner = encode({ spec: SPEC_B, nonce: pattern(16) });
  for (const macs of [[], [pattern(32)], [pattern(31)], ["x", 7, null]]) {
    const { stream, dialling } = await dial(["x"]);
    stream.give(frame(FrameKind.welcome, encode({ inner, macs })));
    const error = await assertRejects(() => dialling, HandshakeRefusedError, "it does not know the secret");
    assertEquals(error.refusal.code, "secret");
    assertEquals(kindsOf(stream), [FrameKind.hello, FrameKind.refused]);
  }
});

Deno.test("a dialler takes no other node than the one it meant, even if the acceptor did not mind", async () => {
  const { stream, dialling } = await dial();
  stream.give(
    frame(FrameKind.welcome, encode({ inner: encode({ spec: nodeSpec("c"), nonce: pattern(16) }), macs: [] })),
  );
  await assertRejects(() => dialling, HandshakeRefusedError, 'Cannot reach "b": 10.0.0.9:4242 belongs to "c"');
});

Deno.test("a proof that was overheard is worth nothing in another handshake", async () => {
  const side = await identity(["x"]);
  const heard: Uint8Array[] = [];
  const [near, tapped] = await streamPair();
  const [tap, far] = await streamPair();
  relay(tapped, tap, (bytes) => {
    heard.push(bytes);
    return bytes;
  });
  relay(tap, tapped);
  const { accepted } = await shake({ dialler: side, acceptor: side }, [near, far]);
  assertEquals(accepted.status, "fulfilled");
  near.close();
  far.close();

  const { stream, accepting } = await accept(["x"]);
  stream.give(...heard);
  await assertRejects(() => accepting, HandshakeRefusedError, "it does not know the secret");
  assertEquals(kindsOf(stream), [FrameKind.welcome, FrameKind.refused]);
});

Deno.test("a proof that is sent back to whom it came from is refused", async () => {
  const { stream, accepting } = await accept(["x"]);
  stream.give(frame(FrameKind.hello, await hello({}, ["x"])));
  while (stream.writes.length === 0) await settled();
  const { macs } = decode(stream.writes[0]!.subarray(5)) as { macs: Uint8Array[] };
  stream.give(frame(FrameKind.proof, encode({ mac: macs[0] })));
  await assertRejects(() => accepting, HandshakeRefusedError, "it does not know the secret");
});

Deno.test("a handshake in which a single byte was changed on the way is refused", async () => {
  const side = await identity(["x"]);
  const random = seededRandom(4);
  for (const way of ["hello", "welcome", "proof"]) {
    for (let attempt = 0; attempt < 15; attempt++) {
      const [near, tapped] = await streamPair();
      const [tap, far] = await streamPair();
      let frames = 0;
      const flip = (bytes: Uint8Array<ArrayBuffer>, frame: number) => {
        if (frames++ === frame) bytes[5 + random.int(bytes.length - 5)]! ^= 1 << random.int(8);
        return bytes;
      };
      relay(tapped, tap, way === "welcome" ? undefined : (bytes) => flip(bytes, way === "hello" ? 0 : 1));
      relay(tap, tapped, way === "welcome" ? (bytes) => flip(bytes, 0) : undefined);
      const { dialled, accepted } = await shake({ dialler: side, acceptor: side }, [near, far]);
      assertEquals([dialled.status, accepted.status], ["rejected", "rejected"], `${way}, attempt ${attempt}`);
    }
  }
});

Deno.test("every handshake has nonces of its own", async () => {
  assertNotEquals(await hello(), await hello());
  const welcomes: Uint8Array[] = [];
  for (let count = 0; count < 2; count++) {
    const { stream, accepting } = await accept();
    stream.give(frame(FrameKind.hello, await hello()));
    await accepting;
    welcomes.push(stream.written());
  }
  assertNotEquals(welcomes[0], welcomes[1]);
});

const GARBAGE: readonly Uint8Array[] = [
  new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
  new Uint8Array(5),
  new Uint8Array(64).fill(0xff),
  frame(FrameKind.ping, [0, 0, 0, 1]),
  frame(FrameKind.message, pattern(50)),
  frame(0xee),
];

Deno.test("an acceptor gives up on garbage instead of a hello, and on garbage instead of a proof", async () => {
  const bodies = [[], [0xc1], encode(null), encode([1, 2]), encode("hello"), encode(pattern(9)), pattern(300)];
  const misplaced = frame(FrameKind.welcome, await hello());
  for (const bytes of [...GARBAGE, misplaced, ...bodies.map((body) => frame(FrameKind.hello, body))]) {
    const { stream, accepting } = await accept();
    stream.give(bytes);
    stream.end();
    await assertRejects(() => accepting, ProtocolError);
  }
  const greeting = frame(FrameKind.hello, await hello({}, ["x"]));
  for (const bytes of [...GARBAGE, greeting, frame(FrameKind.proof), frame(FrameKind.proof, [0xc1])]) {
    const { stream, accepting } = await accept(["x"]);
    stream.give(greeting, bytes);
    stream.end();
    await assertRejects(() => accepting, ProtocolError);
  }
});

Deno.test("a dialler gives up on garbage instead of a welcome, and on garbage instead of the word that all is ready", async () => {
  const bodies = [
    [],
    [0xc1],
    encode(null),
    encode({ inner: pattern(4), macs: [] }),
    encode({ inner: 1, macs: [] }),
    encode({}),
  ];
  for (const bytes of [...GARBAGE, ...bodies.map((body) => frame(FrameKind.welcome, body))]) {
    const { stream, dialling } = await dial();
    stream.give(bytes);
    stream.end();
    await assertRejects(() => dialling, ProtocolError);
  }
  for (const bytes of GARBAGE) {
    const [near, far] = await streamPair();
    const side = await identity(["x"]);
    const dialling = dialHandshake(endOf(near, side), REQUEST);
    const instead = () => far.write(bytes).then(() => far.close()).then(() => null);
    acceptHandshake(endOf(far, side), SPEC_B, instead).catch(() => {});
    await assertRejects(() => dialling, ProtocolError);
  }
});

Deno.test("an acceptor gives up on a hello with any field missing or of another type", async () => {
  const fields = ["spec", "to", "toIncarnation", "channel", "index", "dial", "seen"];
  for (const field of fields) {
    for (const value of [undefined, true, -1, 1.5, 2 ** 60, pattern(3), [], {}]) {
      const body = decode(await hello()) as Record<string, unknown>;
      if (value === undefined) delete body[field];
      else body[field] = value;
      const { stream, accepting } = await accept();
      stream.give(frame(FrameKind.hello, encode(body)));
      await assertRejects(() => accepting, ProtocolError, "the hello is malformed", `${field}: ${value}`);
      assertEquals(stream.writes, []);
    }
  }
});

Deno.test("an acceptor says what is wrong with a node spec", async () => {
  const spec = { ...SPEC_A, name: "x".repeat(300) };
  const { stream, accepting } = await accept();
  stream.give(frame(FrameKind.hello, await hello({ spec })));
  await assertRejects(() => accepting, ProtocolError, "the hello is malformed (Invalid name: expected 1 to 255");
});

Deno.test("an acceptor gives up when the stream ends within the hello, and returns null when it ends before", async () => {
  const bytes = frame(FrameKind.hello, await hello());
  for (let length = 0; length < bytes.length; length++) {
    const { stream, accepting } = await accept();
    stream.give(bytes.subarray(0, length));
    stream.end();
    if (length === 0) assertEquals(await accepting, null);
    else await assertRejects(() => accepting, Error, "the stream ended within it");
  }
});

Deno.test("both sides give up when the other one closes instead of answering", async () => {
  const { stream, dialling } = await dial();
  stream.end();
  await assertRejects(() => dialling, ProtocolError, "the other end closed the connection");

  const proving = await accept(["x"]);
  proving.stream.give(frame(FrameKind.hello, await hello({}, ["x"])));
  proving.stream.end();
  await assertRejects(() => proving.accepting, ProtocolError, "the other end closed the connection");
});

Deno.test("both sides refuse a frame of the handshake that is too long by its header", async () => {
  const header = new Uint8Array(5);
  new DataView(header.buffer).setUint32(0, HANDSHAKE_FRAME_BYTES + 1);
  const accepting = await accept();
  accepting.stream.give(header);
  await assertRejects(() => accepting.accepting, ProtocolError, `the limit is ${HANDSHAKE_FRAME_BYTES}`);
  const dialling = await dial();
  dialling.stream.give(header);
  await assertRejects(() => dialling.dialling, ProtocolError, `the limit is ${HANDSHAKE_FRAME_BYTES}`);
});

Deno.test("what comes right behind the handshake is left to whoever reads next", async () => {
  const stream = new FakeStream();
  const end = endOf(stream, await identity());
  stream.give(concat(frame(FrameKind.hello, await hello()), frame(FrameKind.ping, [1, 2, 3, 4])));
  await acceptHandshake(end, SPEC_B, () => Promise.resolve(null));
  assertEquals(await end.reader.next(), { kind: FrameKind.ping, body: Uint8Array.of(1, 2, 3, 4) });
});

Deno.test("a refusal with an unknown code means to try again later, and its reason is cut short", async () => {
  const { stream, dialling } = await dial();
  stream.give(frame(FrameKind.refused, encode({ code: "too-hot", reason: "x".repeat(5000), known: -1 })));
  const error = await assertRejects(() => dialling, HandshakeRefusedError);
  assertEquals(error.refusal, { code: "stopping", reason: "x".repeat(1024) });
});

Deno.test("a dialler does not wait to be refused by an acceptor that is gone", async () => {
  const { stream, dialling } = await dial(["x"]);
  stream.give(frame(FrameKind.welcome, encode({ inner: encode({ spec: SPEC_B }), macs: [] })));
  stream.writeError = new Error("Broken pipe");
  await assertRejects(() => dialling, HandshakeRefusedError, "it does not know the secret");
});

Deno.test("acceptHandshake() lets a dialler take an occupied place once it has shown that it is still there", async () => {
  const [near, far] = await streamPair();
  const open = await identity();
  const occupied = () => true;
  const dialling = dialHandshake(endOf(near, open), REQUEST);
  const accepted = await acceptHandshake(endOf(far, open), SPEC_B, () => Promise.resolve(null), occupied);
  assertEquals(accepted?.dial, REQUEST.dial);
  assertEquals((await dialling).name, "b");
  near.close();
  far.close();
});

Deno.test("acceptHandshake() lets nobody take an occupied place who gave up after the hello", async () => {
  const [near, far] = await streamPair();
  const open = await identity();
  // What a dial leaves behind that waited in the accept queue of a process that was stopped.
  const given = dialHandshake(endOf(near, open), REQUEST).catch(() => "gave up");
  near.close();
  assertEquals(await given, "gave up");
  const accepting = acceptHandshake(endOf(far, open), SPEC_B, () => Promise.resolve(null), () => true);
  await assertRejects(() => accepting);
  far.close();
});
