// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { Connection } from "../../../connections/connection.ts";
import { EarlyConnections } from "../../../connections/early/early_connections.ts";
import { EarlyWord, writeEarlyHead } from "../../../connections/early/early_frames.ts";
import type { EarlyStream } from "../../../connections/early/early_stream.ts";
import type { OpenedStream } from "../../../connections/handshake/connection_opener.ts";
import type { ConnectionRequest } from "../../../connections/handshake/introduction.ts";
import { MEMBERSHIP_CHANNEL, Peer } from "../../../connections/peer.ts";
import { ByteWriter } from "../../../wire/byte_writer.ts";
import { FrameReader, ProtocolError } from "../../../wire/frame_reader.ts";
import { nodeSpec } from "../../node_spec.ts";
import { present } from "../../values.ts";
import { bareRuntime } from "../bare_runtime.ts";
import { FakeStream, isSettled } from "../fake_stream.ts";
import { FakeCarrier, inWords } from "./early_end.ts";

const PLAIN = { parallelism: 1, monotonic: false, compression: false };
const CHANNELS = { default: PLAIN, membership: PLAIN, bulk: { ...PLAIN, parallelism: 2 } };
const LIMITS = { maxFrameBytes: 1000, maxQueuedBytes: 1000, highWaterMark: 1000, compression: false };

/** A membership connection that carries others. */
type Carrier = Connection<Peer> & { readonly carrier: FakeCarrier };

/** The early connections of node `a` with node `b`, which is the test. */
class Bench {
  peer: Peer;
  readonly early: EarlyConnections;
  readonly detached: Connection<Peer>[] = [];
  readonly runtime = bareRuntime();
  readonly #ignore = {
    frame: () => {},
    message: () => {},
    closed: (connection: Connection<Peer>) => void this.peer.remove(connection),
  };

  constructor(self = "a") {
    this.peer = new Peer(nodeSpec("b", 1, { channels: CHANNELS }), nodeSpec(self));
    this.early = new EarlyConnections({
      selfName: () => self,
      connection: (peer, identity, session) => {
        const { stream, reader } = session;
        const options = { ...LIMITS, session };
        return new Connection({ peer, ...identity }, stream, reader, this.#ignore, this.runtime, options);
      },
      put: (connection) => void this.peer.fill(connection),
      detach: (connection) => {
        this.peer.remove(connection);
        this.detached.push(connection);
      },
    });
  }

  /** One that carries the others from now on. */
  open(dial = 1): Carrier {
    const carrier = new FakeCarrier();
    const connection = { peer: this.peer, channel: MEMBERSHIP_CHANNEL, index: 0, dial, early: null, carrier };
    const membership = { ...connection, queue: carrier.queue, features: new Set(["early"]), takenThere: 1000 };
    this.peer.fill(membership as object as Carrier);
    return membership as object as Carrier;
  }

  /** The other end says something about the default channel. @returns Whether that was not used here. */
  hear(by: Connection<Peer>, word: EarlyWord, from: number, to: number, on: [string, number] = ["default", 0]) {
    const writer = new ByteWriter();
    const [channel, index] = on;
    writeEarlyHead(writer, word, { channel, index, from, to });
    if (word === EarlyWord.bytes || word === EarlyWord.taken) writer.u32(0);
    return this.early.take(by, writer.written(), 0, writer.length);
  }

  /** Uses the default channel. */
  use(): EarlyStream {
    this.early.wake(this.peer, "default");
    return this.stream;
  }

  /** The stream of the default channel. */
  get stream(): EarlyStream {
    return present(present(this.peer.at("default", 0)).early);
  }
}

/** Words that a membership connection was given, with the numbers of both ends. */
function saidTo({ carrier }: Carrier): string[] {
  return carrier.frames().map((frame) => `${frame.channel} ${frame.index} ${frame.from}-${frame.to} ${inWords(frame)}`);
}

function asked(early?: readonly [number, number], dial = 1): ConnectionRequest {
  const request = { spec: nodeSpec("b"), to: "a", toIncarnation: 1, channel: "default", index: 0, dial, seen: 0 };
  return { ...request, ...early === undefined ? {} : { early } };
}

function opened(): OpenedStream & { readonly stream: FakeStream } {
  const stream = new FakeStream();
  return {
    stream,
    reader: new FrameReader(stream, 100),
    version: 2,
    features: new Set(),
    maxFrameBytes: 1000,
    epoch: 3,
  };
}

Deno.test("EarlyConnections begins all connections of a channel, dialed by the side that is expected to", () => {
  for (const [self, outbound] of [["a", true], ["c", false]] as const) {
    const bench = new Bench(self);
    bench.open();
    bench.early.wake(bench.peer, "bulk");
    const begun = [0, 1].map((index) => present(bench.peer.at("bulk", index)));
    assertEquals(begun.map((connection) => connection.outbound), [outbound, outbound]);
    assert(begun.every((connection) => bench.early.carries(connection)));
    bench.early.wake(bench.peer, "bulk");
    assertEquals([0, 1].map((index) => bench.peer.at("bulk", index)), begun);
    assertEquals(bench.peer.gaps().map(({ channel }) => channel), ["bulk", "bulk"]);
  }
});

Deno.test("EarlyConnections begins those that the other end has begun, all of the channel", () => {
  const bench = new Bench();
  const membership = bench.open();
  assert(bench.hear(membership, EarlyWord.bytes, 7, 0, ["bulk", 1]));
  assertEquals([0, 1].map((index) => present(bench.peer.at("bulk", index)).early?.theirs), [0, 7]);
  assertFalse(bench.hear(membership, EarlyWord.bytes, 6, 0, ["bulk", 0]));
  assertEquals(present(bench.peer.at("bulk", 0)).early?.theirs, 6);
  assertEquals(saidTo(membership), []);
});

Deno.test("bytes of the membership channel itself, or over any other channel, are a breach", () => {
  const bench = new Bench();
  const membership = bench.open();
  assertThrows(() => bench.hear(membership, EarlyWord.bytes, 7, 0, ["membership", 0]), ProtocolError, "carries none");
  bench.use();
  const other = present(bench.peer.at("default", 0));
  assertThrows(() => bench.hear(other, EarlyWord.bytes, 7, 0, ["bulk", 0]), ProtocolError, "carries none");
});

Deno.test("a frame about a slot that is not there, or that comes when no membership connection is left, is ignored", () => {
  const bench = new Bench();
  const membership = bench.open();
  for (const slot of [["other", 0], ["bulk", 2]] as [string, number][]) {
    assertFalse(bench.hear(membership, EarlyWord.bytes, 7, 0, slot));
  }
  bench.peer.remove(membership);
  assertFalse(bench.hear(membership, EarlyWord.bytes, 7, 0));
  assertEquals([saidTo(membership), bench.peer.hasConnections], [[], false]);
});

Deno.test("what is said about a connection that is over is answered, and the word that it is over is not", () => {
  const bench = new Bench();
  const membership = bench.open();
  bench.hear(membership, EarlyWord.bytes, 7, 0);
  bench.peer.at("default", 0)?.close();
  assertEquals(saidTo(membership), ["default 0 1-7 closed"]);
  for (const [from, to] of [[7, 0], [7, 1], [6, 0], [9, 4], [0, 0]] as const) {
    assertFalse(bench.hear(membership, EarlyWord.taken, from, to));
    assertEquals(saidTo(membership), [`default 0 ${to}-${from} closed`]);
    assertFalse(bench.hear(membership, EarlyWord.closed, from, to));
    assertEquals(saidTo(membership), []);
  }
  assertEquals(bench.peer.at("default", 0), null);
  assert(bench.hear(membership, EarlyWord.bytes, 8, 0));
});

Deno.test("the other end names a connection that was begun here by its number, and no other one", async () => {
  const bench = new Bench();
  const membership = bench.open();
  const begun = bench.use();
  assertFalse(bench.hear(membership, EarlyWord.taken, 7, begun.id + 1));
  assertEquals([saidTo(membership), begun.theirs], [["default 0 2-7 closed"], 0]);
  assertFalse(bench.hear(membership, EarlyWord.taken, 7, begun.id));
  assertEquals([saidTo(membership), begun.theirs], [[], 7]);
  // The other end, too, may have begun at the same time, and learn of this one's number later.
  assertFalse(bench.hear(membership, EarlyWord.bytes, 7, 0));
  assertEquals([saidTo(membership), bench.stream], [[], begun]);
  // It may have closed before it had a number for it.
  bench.hear(membership, EarlyWord.closed, 0, begun.id);
  assertEquals(await begun.read(new Uint8Array(8)), null);
});

Deno.test("a word that is meant for a former connection of a slot ends the present one, and is no breach", async () => {
  const bench = new Bench();
  const membership = bench.open();
  bench.hear(membership, EarlyWord.bytes, 7, 0);
  const begun = bench.stream;
  bench.hear(membership, EarlyWord.taken, 7, begun.id);
  assertEquals(saidTo(membership), []);
  // The other end has gone on with one that was here before.
  bench.hear(membership, EarlyWord.taken, 7, begun.id + 1);
  assertEquals(saidTo(membership), [`default 0 ${begun.id + 1}-7 closed`]);
  assertEquals(await begun.read(new Uint8Array(8)), null);
});

Deno.test("a connection ends when the other end begins one anew in its slot: it would hold that up", async () => {
  const bench = new Bench();
  const membership = bench.open();
  bench.hear(membership, EarlyWord.bytes, 7, 0);
  const former = bench.stream;
  const reading = former.read(new Uint8Array(8));
  assertFalse(await isSettled(reading));
  bench.hear(membership, EarlyWord.bytes, 8, 0);
  assertEquals(await reading, null);
  assertFalse(await isSettled(bench.stream.read(new Uint8Array(8))));
});

Deno.test("a connection that the other end has begun anew outlives the one before it", () => {
  const bench = new Bench();
  const membership = bench.open();
  bench.hear(membership, EarlyWord.bytes, 7, 0);
  const former = present(bench.peer.at("default", 0));
  assert(bench.hear(membership, EarlyWord.bytes, 8, 0));
  const latter = bench.stream;
  assertEquals(latter.theirs, 8);
  former.close();
  saidTo(membership);
  assertFalse(bench.hear(membership, EarlyWord.bytes, 8, latter.id));
  assertEquals([bench.stream, saidTo(membership)], [latter, []]);
});

Deno.test("another incarnation of the other end numbers its connections anew", () => {
  const bench = new Bench();
  const membership = bench.open();
  bench.hear(membership, EarlyWord.bytes, 7, 0);
  bench.peer.fitTo(nodeSpec("b", 2, { channels: CHANNELS }), nodeSpec("a"));
  assert(bench.hear(bench.open(), EarlyWord.bytes, 1, 0));
  assertEquals(bench.stream.theirs, 1);
});

Deno.test("what a forgotten peer has begun does not begin again when it is known anew, unless as another incarnation", () => {
  for (const [incarnation, begins] of [[1, false], [2, true]] as const) {
    const bench = new Bench();
    bench.hear(bench.open(), EarlyWord.bytes, 7, 0);
    bench.early.forget(bench.peer);
    bench.peer = new Peer(nodeSpec("b", incarnation, { channels: CHANNELS }), nodeSpec("a"));
    const membership = bench.open();
    assertEquals(bench.early.fits(asked([7, 0]), bench.peer), begins);
    assertEquals(bench.hear(membership, EarlyWord.bytes, 7, 0), begins);
    assertEquals(saidTo(membership), begins ? [] : ["default 0 0-7 closed"]);
    // In another slot it may be new, and what begins later is.
    assert(bench.hear(membership, EarlyWord.bytes, 6, 0, ["bulk", 0]));
    bench.hear(membership, EarlyWord.bytes, 8, 0);
    assertEquals(bench.stream.theirs, 8);
  }
});

Deno.test("of the peers that were forgotten, the last 1,024 are remembered", () => {
  const bench = new Bench();
  const peers = Array.from(
    { length: 1_025 },
    (_, number) => new Peer(nodeSpec(`b${number}`, 1, { channels: CHANNELS }), nodeSpec("a")),
  );
  const hasBegun = (peer: Peer) => {
    bench.peer = new Peer(peer.spec, nodeSpec("a"));
    return bench.hear(bench.open(), EarlyWord.bytes, 7, 0);
  };
  for (const peer of peers) {
    bench.peer = peer;
    assert(bench.hear(bench.open(), EarlyWord.bytes, 7, 0));
    bench.early.forget(peer);
  }
  assertEquals([0, 1, 1_024].map((number) => hasBegun(present(peers[number]))), [true, false, false]);
});

Deno.test("a membership connection that was replaced begins no other connection: what it brings may be older than what has begun since", () => {
  const bench = new Bench();
  const former = bench.open(1);
  const latter = bench.open(2);
  assertFalse(bench.hear(former, EarlyWord.bytes, 7, 0));
  assertEquals([bench.peer.at("default", 0), saidTo(former), saidTo(latter)], [null, [], []]);
  assert(bench.hear(latter, EarlyWord.bytes, 7, 0));
  const begun = bench.peer.at("default", 0);
  // Of one that is known it brings what belongs to it.
  assertFalse(bench.hear(former, EarlyWord.closed, 7, 0));
  assertEquals([bench.peer.at("default", 0), saidTo(former), saidTo(latter)], [begun, [], []]);
});

Deno.test("a dialer fits when it means the connection that is here, or one that can begin", () => {
  const fits = (bench: Bench, ...early: [number, number]) => bench.early.fits(asked(early), bench.peer);
  const none = new Bench();
  assertFalse(fits(none, 7, 0));
  const membership = none.open();
  assertFalse(none.early.fits(asked(), none.peer));
  assertEquals([fits(none, 7, 0), fits(none, 7, 1)], [true, false]);
  none.hear(membership, EarlyWord.bytes, 7, 0);
  const { id } = none.stream;
  assertEquals([fits(none, 7, 0), fits(none, 7, id), fits(none, 7, id + 1)], [true, true, false]);
  // The dialer has begun anew, and cannot know of a connection here.
  assertEquals([fits(none, 8, 0), fits(none, 8, id), fits(none, 6, 0)], [true, false, false]);
  none.peer.at("default", 0)?.close();
  assertEquals([fits(none, 7, 0), fits(none, 8, 0)], [false, true]);

  const begun = new Bench();
  begun.open();
  const ours = begun.use();
  assertEquals([fits(begun, 7, 0), fits(begun, 7, ours.id), fits(begun, 7, ours.id + 1)], [true, true, false]);
});

Deno.test("no dialer fits a connection that has a socket", () => {
  for (const theirs of [0, 7]) {
    const bench = new Bench();
    bench.open();
    const stream = bench.use();
    stream.theirs = theirs;
    assert(bench.early.dialed(asked([stream.id, theirs]), bench.peer, opened()));
    assertFalse(bench.early.fits(asked([7, stream.id]), bench.peer));
    assertFalse(bench.early.welcome(asked([7, stream.id]), bench.peer, opened()));
  }
});

Deno.test("EarlyConnections gives a socket that was accepted to the connection that its dialer means, which it begins where needed", () => {
  const bench = new Bench();
  assertFalse(bench.early.welcome(asked([7, 0]), bench.peer, opened()));
  const membership = bench.open();
  assertFalse(bench.early.welcome(asked(), bench.peer, opened()));
  assert(bench.early.welcome(asked([7, 0], 5), bench.peer, opened()));
  const connection = present(bench.peer.at("default", 0));
  assertEquals([connection.early, connection.dial, connection.outbound, connection.epoch], [null, 5, false, 3]);
  assertEquals(saidTo(membership), ["default 0 1-7 moved 0 dialed 5"]);
  assert(bench.early.carries(connection));
});

Deno.test("EarlyConnections gives a socket that was dialed to the connection for which it was, unless that is over", () => {
  const bench = new Bench();
  const membership = bench.open();
  const { id } = bench.use();
  const connection = present(bench.peer.at("default", 0));
  for (const early of [undefined, [id + 1, 0]] as const) {
    assertFalse(bench.early.dialed(asked(early), bench.peer, opened()));
  }
  assert(bench.early.dialed(asked([id, 0], 5), bench.peer, opened()));
  assertEquals([connection.early, connection.dial, connection.outbound], [null, 5, true]);
  assertEquals(saidTo(membership), [`default 0 ${id}-0 moved 0 accepted 5`]);

  const detached = new Bench();
  detached.open();
  const early: [number, number] = [detached.use().id, 0];
  detached.peer.remove(present(detached.peer.at("default", 0)));
  assertFalse(detached.early.dialed(asked(early), detached.peer, opened()));
  detached.peer.fill({ ...present(detached.peer.membership), channel: "default" } as Carrier);
  assertFalse(detached.early.dialed(asked(early), detached.peer, opened()));
});

Deno.test("a dialer that is refused learns what this end has", () => {
  const bench = new Bench();
  const membership = bench.open();
  bench.early.refused(asked(), bench.peer);
  assertEquals(saidTo(membership), []);
  bench.use();
  bench.early.refused(asked(), bench.peer);
  assertEquals(saidTo(membership), ["default 0 1-0 taken 0"]);
});

Deno.test("a connection ends whose other end dials it again although it has a socket here, and a later dial than that of the socket", () => {
  for (const [theirs, dial, closes] of [[7, 6, true], [7, 5, false], [8, 6, false]] as const) {
    const bench = new Bench();
    bench.open();
    assert(bench.early.welcome(asked([7, 0], 5), bench.peer, opened()));
    const connection = present(bench.peer.at("default", 0));
    bench.early.refused(asked([theirs, 1], dial), bench.peer);
    assertEquals(connection.closed, closes);
  }
});

Deno.test("another membership connection goes on with what is not over, and without any those end that have no socket", async () => {
  const bench = new Bench();
  bench.open();
  bench.early.wake(bench.peer, "bulk");
  const [without, within] = [0, 1].map((index) => present(bench.peer.at("bulk", index)));
  const stream = present(present(without).early);
  const moved = present(within?.early);
  const early: [number, number] = [moved.id, 0];
  assert(bench.early.dialed({ ...asked(early), channel: "bulk", index: 1 }, bench.peer, opened()));
  const membership = bench.open(2);
  bench.early.resume(bench.peer);
  assertEquals(saidTo(membership), ["bulk 0 1-0 taken 0", "bulk 1 2-0 taken 0", "bulk 1 2-0 moved 0 accepted 1"]);
  bench.peer.remove(membership);
  bench.early.abandon(bench.peer);
  assertEquals([bench.detached, bench.peer.connections()], [[without], [within]]);
  assertEquals(await stream.read(new Uint8Array(8)), null);
  assertFalse(await isSettled(moved.read(new Uint8Array(8))));
});
