// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { EARLY_WINDOW_BYTES } from "../../../connections/early/early_sender.ts";
import { EarlyWord } from "../../../connections/early/early_frames.ts";
import { ProtocolError } from "../../../wire/frame_reader.ts";
import { bytesOf, EarlyEnd, FakeCarrier, text } from "./early_end.ts";
import { isSettled, settled } from "../fake_stream.ts";

Deno.test("EarlyStream says its bytes to the membership connection, and reads those of the other end from there", async () => {
  const end = new EarlyEnd();
  await end.write("one");
  await end.write("two");
  assertEquals(end.said(), ["bytes 0 one", "bytes 3 two"]);
  end.hearBytes(0, "three");
  assertEquals(await end.read(2), "th");
  assertEquals(await end.read(), "ree");
  assertEquals([end.said(), end.stream.hasSocket, end.stream.isCarried], [[], false, true]);
  assertEquals([end.stream.remoteAddress, end.stream.certificate], [{ hostname: "10.0.0.1", port: 1 }, undefined]);
  end.carrier = null;
  assertEquals(end.stream.remoteAddress, { hostname: "", port: 0 });
});

Deno.test("EarlyStream writes no more than the window until the other end has taken it", async () => {
  const end = new EarlyEnd();
  const writing = end.write("x".repeat(EARLY_WINDOW_BYTES + 5));
  assertEquals(end.carrier?.frames().map(({ body }) => body.length - 4), [EARLY_WINDOW_BYTES]);
  end.hearTaken(3);
  await settled();
  assertEquals(end.said(), [`bytes ${EARLY_WINDOW_BYTES} xxx`]);
  assertFalse(await isSettled(writing));
  end.hearTaken(10);
  await writing;
  assertEquals(end.said(), [`bytes ${EARLY_WINDOW_BYTES + 3} xx`]);
});

Deno.test("a write to an EarlyStream waits until the membership connection has written it", async () => {
  const end = new EarlyEnd();
  const { promise, resolve } = Promise.withResolvers<void>();
  const carrier = end.carrier = new FakeCarrier();
  carrier.written = promise;
  const writing = end.write("one");
  assertFalse(await isSettled(writing));
  resolve();
  assert(await isSettled(writing));
});

Deno.test("EarlyStream tells that it has read when that is half a window, and once", async () => {
  const end = new EarlyEnd();
  const half = EARLY_WINDOW_BYTES / 2;
  end.hearBytes(0, "x".repeat(half - 1));
  await end.read(half);
  assertEquals(end.said(), []);
  end.hearBytes(half - 1, "yy");
  await end.read(1);
  assertEquals(end.said(), [`taken ${half}`]);
  await end.read(1);
  assertEquals(end.said(), []);
});

Deno.test("EarlyStream goes on over a socket: each end reads it once it has read that the other one has moved", async () => {
  const end = new EarlyEnd();
  await end.write("one");
  end.hearBytes(0, "abc");
  const socket = end.attach(5, { rest: "rest" });
  assertEquals(end.stream.remoteAddress, socket.remoteAddress);
  assertEquals(end.said(), ["bytes 0 one", "moved 3 accepted 5"]);
  await end.write("two");
  assertEquals([text(socket.written()), end.said()], ["two", []]);
  socket.give(bytesOf("more"));
  assertEquals(await end.read(), "abc");
  const reading = end.read(3);
  assertFalse(await isSettled(reading));
  end.hearBytes(3, "de");
  assertEquals(await reading, "de");
  end.hearMoved(5, false, 5);
  assertEquals(end.said(), ["taken 6"]);
  assertEquals(await end.read(3), "res");
  assertEquals(await end.read(3), "tmo");
  assertEquals(await end.read(), "re");
  const last = end.read();
  socket.give(bytesOf("last"));
  assertEquals(await last, "last");
  assertEquals(socket.readSizes.at(-1), 100);
  assert(end.stream.isCarried);
  end.hearTaken(3);
  assert(end.stream.isCarried);
  end.hearTaken(4);
  assertFalse(end.stream.isCarried);
});

Deno.test("a write that waits for room goes on over the socket, with what is left of it", async () => {
  const end = new EarlyEnd();
  const writing = end.write("x".repeat(EARLY_WINDOW_BYTES) + "rest");
  const socket = end.attach(1);
  await writing;
  assertEquals(text(socket.written()), "rest");
});

Deno.test("the word that the other end has moved waits for the bytes before it, and is taken with the last of them", async () => {
  const end = new EarlyEnd();
  const socket = end.attach(2, { outbound: false });
  assertEquals(end.said(), ["moved 0 dialed 2"]);
  end.hearMoved(3, true, 2);
  assertEquals([end.said(), end.stream.isCarried], [[], true]);
  socket.give(bytesOf("later"));
  end.hearBytes(0, "abc");
  assertEquals(end.said(), []);
  assertEquals(await end.read(2), "ab");
  assertEquals(end.said(), []);
  assertEquals(await end.read(), "c");
  assertEquals(end.said(), ["taken 4"]);
  assertEquals(await end.read(), "later");
  // Said again, it was not known to have been read.
  end.hearMoved(3, true, 2);
  assertEquals(end.said(), ["taken 4"]);
});

Deno.test("EarlyStream says again over another membership connection what was not said to have been taken", async () => {
  const end = new EarlyEnd();
  await end.write("one");
  await end.write("two");
  await end.write("six");
  end.hearTaken(4);
  end.hearBytes(0, "abc");
  await end.read();
  end.carrier = new FakeCarrier();
  end.stream.resume();
  assertEquals(end.said(), ["bytes 3 two", "bytes 6 six", "taken 3"]);
  end.attach(3);
  end.carrier = new FakeCarrier();
  end.stream.resume();
  assertEquals(end.said(), ["bytes 3 two", "bytes 6 six", "taken 3", "moved 9 accepted 3"]);
  end.hearTaken(10);
  end.stream.resume();
  assertEquals(end.said(), ["taken 3", "moved 9 accepted 3"]);
  end.hearMoved(3, false, 3);
  end.said();
  end.stream.resume();
  assertEquals(end.said(), []);
});

Deno.test("a socket that closes before the other end has moved is said to be lost, and the other end closes or goes on there", async () => {
  for (const error of [null, new Error("reset")]) {
    const end = new EarlyEnd();
    const socket = end.attach(4);
    end.said();
    const reading = end.read();
    if (error === null) socket.end();
    else socket.fail(error);
    await settled();
    assertEquals(end.said(), ["lost"]);
    // It may have been lost on its way with the membership connection.
    end.carrier = new FakeCarrier();
    end.stream.resume();
    assertEquals(end.said(), ["taken 0", "moved 0 accepted 4", "lost"]);
    assertFalse(await isSettled(reading));
    end.hear(EarlyWord.closed);
    assertEquals(await reading, null);
  }
});

Deno.test("a socket may close before its turn with bytes in it: they are read, and then how it closed", async () => {
  for (const error of [null, new Error("reset")]) {
    const end = new EarlyEnd();
    const socket = end.attach(4, { rest: "some " });
    socket.give(bytesOf("bytes"));
    if (error === null) socket.end();
    else socket.fail(error);
    await settled();
    end.said();
    end.hearMoved(0, false, 4);
    assertEquals(await end.read(), "some bytes");
    if (error === null) assertEquals(await end.read(), null);
    else await assertRejects(() => end.read(), Error, "reset");
    assertEquals(end.said(), ["taken 1"]);
  }
});

Deno.test("a socket that closes once the other end has moved there is not lost", async () => {
  const end = new EarlyEnd();
  const socket = end.attach(4);
  end.hearMoved(0, false, 4);
  end.said();
  const reading = end.read();
  socket.end();
  assertEquals([await reading, end.said(), end.stream.isBound], [null, [], false]);
});

Deno.test("an end without a socket is over when the other end has lost it; one that has a socket waits for what is still to come", async () => {
  const without = new EarlyEnd();
  without.hearBytes(0, "abc");
  without.hear(EarlyWord.lost);
  assertEquals([await without.read(), await without.read()], ["abc", null]);
  await assertRejects(() => without.write("x"), Error, 'Cannot write to channel "default": what carries it has closed');

  const within = new EarlyEnd();
  const socket = within.attach(4);
  within.hear(EarlyWord.lost);
  const reading = within.read();
  assertFalse(await isSettled(reading));
  within.hearBytes(0, "abc");
  assertEquals(await reading, "abc");
  within.hearMoved(3, false, 4);
  socket.end();
  assertEquals(await within.read(), null);
});

Deno.test("EarlyStream cannot go on without a membership connection while it has no socket, or has lost it before its turn", async () => {
  const end = new EarlyEnd();
  assert(end.stream.isBound);
  const socket = end.attach(4);
  assertFalse(end.stream.isBound);
  end.carrier = null;
  const reading = end.read();
  socket.end();
  assertEquals(await reading, null);
  assert(end.stream.isBound);
});

Deno.test("an EarlyStream that is abandoned gives what has come, and takes no more", async () => {
  const end = new EarlyEnd();
  const waiting = end.write("x".repeat(EARLY_WINDOW_BYTES + 1));
  end.hearBytes(0, "abc");
  end.stream.abandon();
  assertEquals([await end.read(), await end.read()], ["abc", null]);
  await assertRejects(() => waiting, Error, "what carries it has closed");
});

Deno.test("closing an EarlyStream says so as long as the other end may not have moved, and ends what waits", async () => {
  const cases: [(end: EarlyEnd) => void, said: string[]][] = [
    [() => {}, ["closed"]],
    [(end) => end.attach(1), ["closed"]],
    [(end) => {
      end.attach(1);
      end.hearMoved(0, false, 1);
    }, []],
  ];
  for (const [prepare, said] of cases) {
    const end = new EarlyEnd();
    prepare(end);
    end.said();
    const reading = end.read();
    await settled();
    end.stream.close();
    await assertRejects(() => reading, Error, "closed");
    await assertRejects(() => end.write("x"), Error, "closed");
    assertEquals([end.said(), end.closed], [said, true]);
    end.stream.close();
    assertEquals(end.said(), []);
  }
});

Deno.test("closing an EarlyStream closes its socket", () => {
  const end = new EarlyEnd();
  const socket = end.attach(1);
  end.stream.close();
  assert(socket.closed);
});

Deno.test("EarlyStream reads no socket that is not the one to which the other end has moved", async () => {
  for (const [dialedThere, dial] of [[true, 4], [false, 5]] as const) {
    const end = new EarlyEnd();
    end.attach(4);
    end.hearMoved(0, dialedThere, dial);
    await assertRejects(() => end.read(), Error, "the ends have taken different sockets");
  }
});

Deno.test("EarlyStream is left behind by a later dial of the other end, which has not moved to the one that it has taken", () => {
  const accepted = new EarlyEnd();
  assertFalse(accepted.stream.isLeftBehindBy(9));
  accepted.attach(4, { outbound: false });
  assertEquals([3, 4, 5].map((dial) => accepted.stream.isLeftBehindBy(dial)), [false, false, true]);
  accepted.hearMoved(0, true, 4);
  assertFalse(accepted.stream.isLeftBehindBy(5));

  const dialed = new EarlyEnd();
  dialed.attach(4);
  assertFalse(dialed.stream.isLeftBehindBy(5));
});

Deno.test("EarlyStream takes no more than may be on its way, and no word that more was taken than it has sent", async () => {
  const end = new EarlyEnd();
  assertThrows(() => end.hearBytes(EARLY_WINDOW_BYTES, "x"), ProtocolError, "more came than may be on their way");
  await end.write("one");
  assertThrows(() => end.hearTaken(4), ProtocolError, "more was taken than was sent");
  end.attach(1);
  end.hearTaken(4);
  assertThrows(() => end.hearTaken(5), ProtocolError, "more was taken than was sent");
});

Deno.test("EarlyStream ignores words that it does not know", () => {
  const end = new EarlyEnd();
  end.hear(9 as EarlyWord);
  assertEquals(end.said(), []);
});
