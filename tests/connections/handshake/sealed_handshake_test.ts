// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { acceptHandshake, dialHandshake } from "../../../connections/handshake/handshake.ts";
import { encodeHello, PROTOCOL_VERSIONS } from "../../../connections/handshake/hello.ts";
import { HandshakeRefusedError } from "../../../connections/handshake/refusal.ts";
import type { Session } from "../../../connections/handshake/session.ts";
import { SealError } from "../../../connections/noise/cipher_state.ts";
import { HandshakeState } from "../../../connections/noise/handshake_state.ts";
import { hash, keyPair } from "../../../connections/noise/primitives.ts";
import type { ByteStream } from "../../../transport/transport.ts";
import { FrameKind } from "../../../wire/frame_kind.ts";
import { ProtocolError } from "../../../wire/frame_reader.ts";
import { encode } from "../../../wire/message_pack_encode.ts";
import { flipBit } from "../../flip_bit.ts";
import { nodeSpec } from "../../node_spec.ts";
import { seededRandom } from "../../seeded_random.ts";
import { present } from "../../values.ts";
import { concat, FakeStream, frame, pattern, settled } from "../fake_stream.ts";
import { relay, streamPair } from "../stream_pair.ts";
import { codeOf, endOf, identityOf, keyedSpec, REQUEST, shake, SPEC_B, withKey } from "./handshake_world.ts";

const SECRETS = ["s3cret"];
const INCARNATION = { spec: SPEC_B, admit: () => Promise.resolve(null), isOccupied: () => false };

/** The ends of two streams with a node in between, who hears and may change what passes. */
async function tapped(
  up: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => bytes,
  down: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => bytes,
): Promise<[ByteStream, ByteStream]> {
  const [near, tap] = await streamPair();
  const [other, far] = await streamPair();
  relay(tap, other, up);
  relay(other, tap, down);
  return [near, far];
}

async function bothSides(secrets: readonly string[] = SECRETS) {
  return { dialer: await identityOf("a", secrets), acceptor: await identityOf("b", secrets) };
}

/** Two ends that have shaken hands. */
async function sessions(ends: [ByteStream, ByteStream]): Promise<[Session, Session]> {
  const { dialed, accepted } = await shake(await bothSides(), ends);
  assert(dialed.status === "fulfilled" && accepted.status === "fulfilled");
  return [dialed.value, present(accepted.value)];
}

/** Everything that two sides say to each other, from the first byte on. */
async function overheard(secrets: readonly string[]): Promise<Uint8Array[]> {
  const heard: Uint8Array[] = [];
  const listen = (bytes: Uint8Array<ArrayBuffer>) => {
    heard.push(bytes);
    return bytes;
  };
  const ends = await tapped(listen, listen);
  const sides = await bothSides(secrets);
  const metadata = { zone: "somewhere-secret" };
  const request = {
    spec: withKey(nodeSpec("a-node-name", 10, { metadata }), sides.dialer),
    channel: "a-channel-name",
  };
  const { dialed } = await shake({ ...sides, request, spec: nodeSpec("b", 20, { metadata }) }, ends);
  assert(dialed.status === "fulfilled");
  for (const end of ends) end.close();
  return heard;
}

Deno.test("a sealed handshake shows who listens nothing but the versions, and the name of the cluster", async () => {
  const text = new TextDecoder("latin1").decode(concat(...await overheard(SECRETS)));
  assert(text.includes("blue"));
  for (
    const word of ["a-node-name", "somewhere-secret", "a-channel-name", "127.0.0.1", "full-mesh", "drain", "channels"]
  ) {
    assert(!text.includes(word), word);
  }
  const open = new TextDecoder("latin1").decode(concat(...await overheard([])));
  assert(open.includes("somewhere-secret"));
});

Deno.test("a stranger learns nothing but no: not the node's cluster, name, strategy or addresses", async () => {
  const hello = (parts: object) =>
    frame(FrameKind.hello, encodeHello({ versions: PROTOCOL_VERSIONS, cluster: "blue", sealed: true, ...parts }));
  const attempts: [Uint8Array, string][] = [
    [hello({ cluster: "guess" }), "cluster"],
    [hello({ versions: [8, 9] }), "version"],
    [hello({ sealed: false }), "secret"],
    [concat(hello({}), frame(FrameKind.introduction, pattern(200))), "seal"],
  ];
  for (const [bytes, code] of attempts) {
    const stream = new FakeStream();
    stream.give(bytes);
    stream.end();
    const accepting = acceptHandshake(endOf(stream, await identityOf("b", SECRETS)), INCARNATION);
    const [result] = await Promise.allSettled([accepting]);
    assertEquals(codeOf(result), code);
    const said = new TextDecoder("latin1").decode(stream.written());
    for (const word of ["blue", "full-mesh", "127.0.0.1", "9090", "default"]) {
      assert(!said.includes(word), `${code}: ${word}`);
    }
  }
});

Deno.test("a sealed dialer is in no node's debt: its hello is the same whatever its secret, so nothing can be guessed from it", async () => {
  const hellos: Uint8Array[] = [];
  for (const secret of ["one secret", "another secret"]) {
    const stream = new FakeStream();
    const random = seededRandom(1);
    const runtime = { ...endOf(stream, await identityOf("a", [secret])).runtime };
    const fixed = { next: () => random.next(), bytes: (length: number) => pattern(length) };
    const end = { ...endOf(stream, await identityOf("a", [secret])), runtime: { ...runtime, random: fixed } };
    dialHandshake(end, REQUEST).catch(() => {});
    await settled();
    hellos.push(stream.written());
    stream.close();
  }
  assertEquals(hellos[0], hellos[1]);
});

Deno.test("what an acceptor says before the dialer has proven itself is the same whatever its secret", async () => {
  const answers: Uint8Array[] = [];
  for (const secret of ["one secret", "another secret"]) {
    const stream = new FakeStream();
    const identity = await identityOf("b", [secret]);
    const end = endOf(stream, identity);
    const fixed = { next: () => 0, bytes: (length: number) => pattern(length, 5) };
    acceptHandshake({ ...end, runtime: { ...end.runtime, random: fixed } }, INCARNATION).catch(() => {});
    const clear = encodeHello({ versions: PROTOCOL_VERSIONS, cluster: "blue", sealed: true });
    const noise = new HandshakeState({
      pattern: "XXpsk3",
      initiator: true,
      prologue: clear,
      staticKeys: keyPair(pattern(32, 8)),
      ephemeralKeys: keyPair(pattern(32, 9)),
      preSharedKey: pattern(32),
    });
    stream.give(frame(FrameKind.hello, concat(clear, noise.write(new Uint8Array()))));
    await settled();
    assertEquals(stream.writes.map((bytes) => bytes[4]), [FrameKind.welcome]);
    answers.push(stream.written());
    stream.close();
  }
  assertEquals(answers[0], answers[1]);
});

Deno.test("a sealed dialer believes nothing of a stranger: neither newer incarnations nor what only a member can know", async () => {
  for (const code of ["stale-incarnation", "name-in-use", "stopping", "self", "duplicate"]) {
    const stream = new FakeStream();
    const dialing = dialHandshake(endOf(stream, await identityOf("a", SECRETS)), REQUEST);
    stream.give(frame(FrameKind.refused, encode({ code, reason: "Cannot accept: no", known: 2 ** 52 })));
    const error = await assertRejects(() => dialing, HandshakeRefusedError);
    assertEquals(error.refusal, { code: "protocol", reason: "Cannot accept: no" });
  }
});

Deno.test("reflection: a dialer that is shown itself is refused, and refuses", async () => {
  // Row 1 of the issue: a node relays all that a node says to that very node, which dials no node in particular.
  const identity = await identityOf("a", SECRETS);
  const spec = await keyedSpec("a", SECRETS);
  for (const to of [null, "a"]) {
    let asked = 0;
    const [near, far] = await streamPair();
    const dialing = dialHandshake(endOf(near, identity), { ...REQUEST, spec, to });
    const admit = () => {
      asked++;
      return Promise.resolve(null);
    };
    const accepting = acceptHandshake(endOf(far, identity), { spec, admit, isOccupied: () => false });
    accepting.catch(() => far.close());
    // The acceptor itself asks for admission, which refuses a node of its own name; the dialer does not rely on that.
    const error = await assertRejects(() => dialing, HandshakeRefusedError);
    assertEquals(error.refusal.code, "self");
    assertEquals(asked, 1);
    near.close();
    far.close();
  }
});

Deno.test("reflection: the words of a dialer, sent back to it in any order, open nothing", async () => {
  const identity = await identityOf("a", SECRETS);
  const spec = await keyedSpec("a", SECRETS);
  const stream = new FakeStream();
  const dialing = dialHandshake(endOf(stream, identity), { ...REQUEST, spec, to: null });
  dialing.catch(() => {});
  await settled();
  const said = stream.written();
  for (const kind of [FrameKind.welcome, FrameKind.introduction, FrameKind.ready]) {
    const copy = new FakeStream();
    const other = dialHandshake(endOf(copy, identity), { ...REQUEST, spec, to: null });
    copy.give(frame(kind, said.subarray(5)), frame(FrameKind.ready), frame(FrameKind.ready, said.subarray(5)));
    const [result] = await Promise.allSettled([other]);
    assert(result.status === "rejected");
    assertEquals(copy.writes.length, 1);
  }
  stream.close();
  await Promise.allSettled([dialing]);
});

Deno.test("a holder of the secret that shows the key of this node under another name is refused", async () => {
  const identity = await identityOf("b", SECRETS);
  const { dialed, accepted } = await shake({ dialer: identity, acceptor: identity });
  assertEquals([codeOf(dialed), codeOf(accepted)], ["self", "self"]);
});

Deno.test("a holder of the secret that claims a key which it has not proven is refused, on either side", async () => {
  const { dialer, acceptor } = await bothSides();
  const foreign = { key: keyPair(hash(pattern(1), pattern(2))).publicKey };
  for (const spec of [nodeSpec("a", 10), nodeSpec("a", 10, foreign)]) {
    const { accepted } = await shake({ dialer, acceptor, request: { spec } });
    assertEquals(codeOf(accepted), "protocol error");
  }
  const [near, far] = await streamPair();
  const dialing = dialHandshake(endOf(near, dialer), { ...REQUEST, spec: await keyedSpec("a", SECRETS) });
  acceptHandshake(endOf(far, acceptor), { ...INCARNATION, spec: nodeSpec("b", 20, foreign) }).catch(() => {});
  await assertRejects(() => dialing, ProtocolError, '"b" has not proven that it holds its key');
  near.close();
  far.close();
});

Deno.test("a handshake in which a single byte was changed on the way is refused, wherever that is", async () => {
  const random = seededRandom(4);
  const sides = await bothSides();
  for (const [way, frames] of [["up", 2], ["down", 2]] as const) {
    for (let number = 0; number < frames; number++) {
      for (let attempt = 0; attempt < 25; attempt++) {
        let passed = 0;
        const flip = (bytes: Uint8Array<ArrayBuffer>) => {
          // Behind the frame's header: what is changed there is waited for.
          if (passed++ === number) flipBit(bytes, 5 + random.int(bytes.length - 5), random.int(8));
          return bytes;
        };
        const ends = way === "up" ? await tapped(flip) : await tapped(undefined, flip);
        const { dialed } = await shake(sides, ends);
        assertEquals(dialed.status, "rejected", `${way}, frame ${number}, attempt ${attempt}`);
      }
    }
  }
});

Deno.test("a handshake that was overheard is worth nothing when it is played again, to either side", async () => {
  const heard = { up: [] as Uint8Array[], down: [] as Uint8Array[] };
  const record = (way: "up" | "down") => (bytes: Uint8Array<ArrayBuffer>) => {
    heard[way].push(bytes);
    return bytes;
  };
  await sessions(await tapped(record("up"), record("down")));
  const stream = new FakeStream();
  stream.give(...heard.up);
  const accepting = acceptHandshake(endOf(stream, await identityOf("b", SECRETS)), INCARNATION);
  await assertRejects(() => accepting, HandshakeRefusedError, "it does not know the secret");
  assertEquals(stream.writes.map((bytes) => bytes[4]), [FrameKind.welcome, FrameKind.refused]);
  const other = new FakeStream();
  other.give(...heard.down);
  const dialing = dialHandshake(endOf(other, await identityOf("a", SECRETS)), REQUEST);
  await assertRejects(() => dialing, SealError);
});

Deno.test("no two handshakes say the same", async () => {
  const [first, second] = [await overheard(SECRETS), await overheard(SECRETS)];
  for (const [at, bytes] of first.entries()) assertNotEquals(bytes, second[at]);
});

Deno.test("man in the middle: what is forged, repeated, held back or cut off after the handshake ends the session, undelivered", async () => {
  const attacks: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array> = {
    forged: () => concat(Uint8Array.of(0, 40), pattern(40)),
    flipped: (bytes) => {
      flipBit(bytes, bytes.length - 1);
      return bytes;
    },
    repeated: (bytes) => concat(bytes, bytes),
    withheld: () => new Uint8Array(),
    plain: () => frame(FrameKind.message, pattern(20)),
  };
  for (const [attack, change] of Object.entries(attacks)) {
    let armed = false;
    const ends = await tapped((bytes) => {
      if (!armed) return bytes;
      armed = false;
      return change(bytes);
    });
    const [near, far] = await sessions(ends);
    armed = true;
    await near.stream.write(frame(FrameKind.message, pattern(30)));
    await near.stream.write(frame(FrameKind.ping, [1, 2, 3, 4]));
    near.stream.close();
    const delivered: number[] = [];
    const sink = (kind: number) => void delivered.push(kind);
    const error = await assertRejects(() => far.reader.run(sink), SealError, undefined, attack);
    assertEquals(error.code, "forged", attack);
    assertEquals(delivered, attack === "repeated" ? delivered.slice(0, 1) : [], attack);
    far.stream.close();
  }
});

Deno.test("a session ends for its reader as its writer ended it, and is cut off otherwise", async () => {
  for (const isCut of [false, true]) {
    const ends = await streamPair();
    const [near, far] = await sessions(ends);
    await near.stream.write(frame(FrameKind.message, pattern(30)));
    if (isCut) ends[0].close();
    else near.stream.close();
    const delivered: number[] = [];
    const reading = far.reader.run((kind) => void delivered.push(kind));
    if (isCut) assertEquals((await assertRejects(() => reading, SealError)).code, "truncated");
    else await reading;
    assertEquals(delivered, [FrameKind.message]);
    far.stream.close();
  }
});

Deno.test("over TLS nothing is sealed twice, and no node between two certificates can pass proofs on", async () => {
  const [dialer, acceptor] = [await identityOf("a", ["s3cret"]), await identityOf("b", ["s3cret"])];
  const over = (stream: ByteStream, own: string, theirs: string): ByteStream => ({
    remoteAddress: stream.remoteAddress,
    certificate: { subject: {}, dnsNames: [], uris: [], validTo: "", fingerprint256: theirs },
    ownFingerprint256: own,
    read: (buffer) => stream.read(buffer),
    write: (bytes) => stream.write(bytes),
    close: () => stream.close(),
  });
  const [near, far] = await streamPair();
  const ends: [ByteStream, ByteStream] = [over(near, "A", "B"), over(far, "B", "A")];
  const { dialed, accepted } = await shake({ dialer, acceptor }, ends);
  assert(dialed.status === "fulfilled" && accepted.status === "fulfilled");
  assertEquals([dialed.value.stream === ends[0], present(accepted.value).stream === ends[1]], [true, true]);
  const [left, right] = await streamPair();
  const between = await shake({ dialer, acceptor }, [over(left, "A", "M"), over(right, "B", "M")]);
  assertEquals([between.dialed.status, between.accepted.status], ["rejected", "rejected"]);
});
