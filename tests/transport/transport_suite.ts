// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { ByteStream, Listener, Transport } from "../../transport/transport.ts";
import type { Address } from "../../wire/address.ts";
import { seededRandom } from "../seeded_random.ts";

/** Needs of the suite of an implementation. */
export interface TransportSubject {
  /** Opens streams. */
  readonly near: Transport;
  /** Listens. */
  readonly far: Transport;
  /** Address to listen at: a port that is free, and no other node's while the subject is tested. */
  readonly address: Address;
  /** Lets time pass until `work` is settled. */
  drive(work: Promise<void>): Promise<void>;
}

const MIB = 2 ** 20;

/** Tests the contract of {@linkcode Transport} over what `makeSubject` makes. */
export function testTransport(label: string, makeSubject: () => TransportSubject): void {
  for (const [name, body] of Object.entries(contract)) {
    Deno.test(`${label}: ${name}`, async () => {
      const subject = makeSubject();
      await subject.drive(body(new Bench(subject)));
    });
  }
}

/** A listener and the streams that it accepted. */
class Bench {
  readonly near: Transport;
  readonly far: Transport;
  readonly free: Address;
  readonly anywhere: Address;
  readonly #accepted: ByteStream[] = [];
  readonly #waiting: ((stream: ByteStream) => void)[] = [];

  constructor(subject: TransportSubject) {
    this.near = subject.near;
    this.far = subject.far;
    this.free = subject.address;
    this.anywhere = { ...subject.address, port: 0 };
  }

  listen(address: Address = this.anywhere): Promise<Listener> {
    return this.far.listen(address, (stream) => {
      const resolve = this.#waiting.shift();
      if (resolve === undefined) this.#accepted.push(stream);
      else resolve(stream);
    });
  }

  /** The next stream that a listener accepts. */
  accept(): Promise<ByteStream> {
    const stream = this.#accepted.shift();
    if (stream !== undefined) return Promise.resolve(stream);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Both ends of a stream, its dialer's first. */
  async open(): Promise<[ByteStream, ByteStream]> {
    const listener = await this.listen();
    const pair = await Promise.all([this.near.connect(listener.address), this.accept()]);
    listener.close();
    return pair;
  }

  /** Time enough for whatever does not wait for a node to be done: that of many round trips. */
  async passTime(): Promise<void> {
    const [near, far] = await this.open();
    const echoed = echo(far);
    for (let round = 0; round < 200; round++) {
      await near.write(pattern(10));
      await readUpTo(near, 10);
    }
    near.close();
    await echoed;
  }
}

/** Bytes of which each depends on its position. */
function pattern(length: number, start = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => ((start + index) * 0x9e3779b1) >>> 24);
}

/** Reads until `length` bytes are there or the other end has closed. */
async function readUpTo(stream: ByteStream, length: number, piece = 65_536): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await stream.read(bytes.subarray(filled, filled + piece));
    if (count === null) break;
    assert(count > 0 && count <= piece);
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Sends back what arrives, until the other end closes. */
async function echo(stream: ByteStream): Promise<void> {
  const buffer = new Uint8Array(1024);
  for (let count = await stream.read(buffer); count !== null; count = await stream.read(buffer)) {
    await stream.write(buffer.slice(0, count));
  }
  stream.close();
}

/** Writes until it is told that this is of no use; returns how many bytes were taken. */
async function flood(stream: ByteStream, limit: number, onWritten = (_: number) => {}): Promise<number> {
  const piece = new Uint8Array(65_536);
  let written = 0;
  try {
    while (written < limit) {
      await stream.write(piece);
      onWritten(written += piece.length);
    }
  } catch {
    // Closed.
  }
  return written;
}

async function untilRead(stream: ByteStream): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (await stream.read(buffer) !== null);
}

function closeAll(...closable: { close(): void }[]): void {
  for (const one of closable) one.close();
}

const contract: Record<string, (bench: Bench) => Promise<void>> = {
  "what one end writes, the other reads, in both directions": async (bench) => {
    const [near, far] = await bench.open();
    const echoed = echo(far);
    await near.write(pattern(100));
    assertEquals(await readUpTo(near, 100), pattern(100));
    await near.write(pattern(50, 100));
    assertEquals(await readUpTo(near, 50), pattern(50, 100));
    near.close();
    await echoed;
  },

  "port 0 gives each listener a port of its own": async (bench) => {
    const [one, other] = [await bench.listen(), await bench.listen()];
    assert(one.address.port > 0 && other.address.port > 0);
    assertNotEquals(one.address.port, other.address.port);
    assertEquals(one.address.hostname, bench.anywhere.hostname);
    closeAll(one, other);
  },

  "a stream knows the address that it was opened to": async (bench) => {
    const listener = await bench.listen();
    const [near, far] = await Promise.all([bench.near.connect(listener.address), bench.accept()]);
    assertEquals(near.remoteAddress, listener.address);
    assertEquals(typeof far.remoteAddress.hostname, "string");
    closeAll(near, far, listener);
  },

  "listen() rejects when the address is taken": async (bench) => {
    const listener = await bench.listen();
    const error = await assertRejects(() => bench.listen(listener.address), Error);
    assertMatch(error.message, /^Cannot listen on ".+:\d+": /);
    listener.close();
  },

  "an address is free again once its listener is closed": async (bench) => {
    const listener = await bench.listen(bench.free);
    listener.close();
    const again = await bench.listen(listener.address);
    const [near, far] = await Promise.all([bench.near.connect(again.address), bench.accept()]);
    closeAll(again, near, far);
  },

  "a write larger than any window arrives whole": async (bench) => {
    const [near, far] = await bench.open();
    const sent = pattern(4 * MIB);
    const [received] = await Promise.all([readUpTo(far, sent.length), near.write(sent)]);
    assertEquals(received, sent);
    closeAll(near, far);
  },

  "both ends may write at the same time": async (bench) => {
    const [near, far] = await bench.open();
    const [a, b] = [pattern(MIB), pattern(MIB, 77)];
    const [atFar, atNear] = await Promise.all([
      readUpTo(far, MIB),
      readUpTo(near, MIB),
      near.write(a),
      far.write(b),
    ]);
    assertEquals(atFar, a);
    assertEquals(atNear, b);
    closeAll(near, far);
  },

  "bytes keep their order, however they are cut for writing and reading": async (bench) => {
    const [near, far] = await bench.open();
    const random = seededRandom(11);
    const sent = pattern(300_000);
    const write = async () => {
      for (let start = 0; start < sent.length;) {
        const end = start + random.int(random.int(10) === 0 ? 20_000 : 100);
        await near.write(sent.subarray(start, end));
        start = end;
      }
      near.close();
    };
    const read = async () => {
      const received: number[] = [];
      for (;;) {
        const buffer = new Uint8Array(1 + random.int(3000));
        const count = await far.read(buffer);
        if (count === null) return new Uint8Array(received);
        for (const byte of buffer.subarray(0, count)) received.push(byte);
      }
    };
    const [received] = await Promise.all([read(), write()]);
    assertEquals(received, sent);
    far.close();
  },

  "bytes may change once their write has resolved": async (bench) => {
    const [near, far] = await bench.open();
    const bytes = pattern(5000);
    await near.write(bytes);
    bytes.fill(0);
    assertEquals(await readUpTo(far, 5000), pattern(5000));
    closeAll(near, far);
  },

  "an empty write resolves and sends nothing": async (bench) => {
    const [near, far] = await bench.open();
    await near.write(new Uint8Array(0));
    near.close();
    assertStrictEquals(await far.read(new Uint8Array(1)), null);
    far.close();
  },

  "read() returns null for as long as it is asked once the other end has closed": async (bench) => {
    const [near, far] = await bench.open();
    near.close();
    assertStrictEquals(await far.read(new Uint8Array(10)), null);
    assertStrictEquals(await far.read(new Uint8Array(10)), null);
    far.close();
  },

  "bytes whose write has resolved arrive although the stream was closed at once": async (bench) => {
    const [near, far] = await bench.open();
    await near.write(pattern(60_000));
    near.close();
    assertEquals(await readUpTo(far, 100_000), pattern(60_000));
    far.close();
  },

  "bytes whose write has resolved arrive although the closing end never read what it was sent": async (bench) => {
    const [near, far] = await bench.open();
    await far.write(pattern(60_000));
    let taken = 0;
    const flooded = flood(near, 64 * MIB, (written) => taken = written);
    await bench.passTime();
    near.close();
    const received = await readUpTo(far, 64 * MIB);
    assert(received.length >= taken, `${received.length} of ${taken} bytes arrived`);
    far.close();
    await flooded;
  },

  "a write is refused in the end when the other end has closed": async (bench) => {
    const [near, far] = await bench.open();
    near.close();
    await untilRead(far);
    await assertRejects(async () => {
      for (;;) await far.write(new Uint8Array(65_536));
    }, Error);
    far.close();
  },

  "close() rejects a waiting read, and reads after it": async (bench) => {
    const [near, far] = await bench.open();
    const waiting = assertRejects(() => near.read(new Uint8Array(10)), Error, "the stream is closed");
    near.close();
    await waiting;
    await assertRejects(() => near.read(new Uint8Array(10)), Error, "the stream is closed");
    far.close();
  },

  "close() rejects a waiting write, and writes after it": async (bench) => {
    const [near, far] = await bench.open();
    const waiting = assertRejects(() => near.write(new Uint8Array(64 * MIB)), Error, "the stream is closed");
    near.close();
    await waiting;
    await assertRejects(() => near.write(new Uint8Array(1)), Error, "the stream is closed");
    far.close();
  },

  "close() twice is a no-op, for streams and listeners": async (bench) => {
    const [near, far] = await bench.open();
    const listener = await bench.listen();
    closeAll(near, near, far, far, listener, listener);
  },

  "at most one read and one write may wait": async (bench) => {
    const [near, far] = await bench.open();
    const reading = assertRejects(() => near.read(new Uint8Array(1)), Error, "the stream is closed");
    const writing = assertRejects(() => near.write(new Uint8Array(64 * MIB)), Error, "the stream is closed");
    await assertRejects(() => near.read(new Uint8Array(1)), TypeError, "another read is waiting");
    await assertRejects(() => near.write(new Uint8Array(1)), TypeError, "another write is waiting");
    closeAll(near, far);
    await Promise.all([reading, writing]);
  },

  "read() rejects an empty buffer": async (bench) => {
    const [near, far] = await bench.open();
    await assertRejects(() => near.read(new Uint8Array(0)), RangeError, "the buffer is empty");
    closeAll(near, far);
  },

  "connect() rejects when no listener is there": async (bench) => {
    const listener = await bench.listen(bench.free);
    listener.close();
    const error = await assertRejects(() => bench.near.connect(listener.address), Error);
    assertMatch(error.message, /^Cannot connect to ".+:\d+": /);
  },

  "connect() rejects with the reason of a signal that is aborted already": async (bench) => {
    const listener = await bench.listen();
    const reason = new Error("too late");
    const { signal } = abortedWith(reason);
    const error = await assertRejects(() => bench.near.connect(listener.address, { signal }));
    assertStrictEquals(error, reason);
    listener.close();
  },

  "connect() rejects with the reason of a signal that is aborted meanwhile": async (bench) => {
    const listener = await bench.listen();
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const attempt = bench.near.connect(listener.address, { signal: controller.signal });
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => attempt), reason);
    listener.close();
  },

  "a signal that is aborted after connect() does not touch the stream": async (bench) => {
    const listener = await bench.listen();
    const controller = new AbortController();
    const near = await bench.near.connect(listener.address, { signal: controller.signal });
    const echoed = echo(await bench.accept());
    controller.abort();
    await near.write(pattern(10));
    assertEquals(await readUpTo(near, 10), pattern(10));
    closeAll(near, listener);
    await echoed;
  },

  "streams outlive the listener that accepted them": async (bench) => {
    const [near, far] = await bench.open();
    const echoed = echo(far);
    await near.write(pattern(10));
    assertEquals(await readUpTo(near, 10), pattern(10));
    near.close();
    await echoed;
  },

  "many connect at once, and each has a stream of its own": async (bench) => {
    const listener = await bench.listen();
    const echoes: Promise<void>[] = [];
    const served = (async () => {
      for (let count = 0; count < 60; count++) echoes.push(echo(await bench.accept()));
    })();
    await Promise.all(Array.from({ length: 60 }, async (_, index) => {
      const stream = await bench.near.connect(listener.address);
      await stream.write(pattern(20, index));
      assertEquals(await readUpTo(stream, 20), pattern(20, index));
      stream.close();
    }));
    await served;
    await Promise.all(echoes);
    listener.close();
  },

  "write() waits while the other side does not read, and goes on once it does": async (bench) => {
    const [near, far] = await bench.open();
    let taken = 0;
    const flooded = flood(near, 64 * MIB, (written) => taken = written);
    await bench.passTime();
    assert(taken < 64 * MIB);
    assertEquals((await readUpTo(far, 64 * MIB)).length, 64 * MIB);
    assertEquals(await flooded, 64 * MIB);
    closeAll(near, far);
  },
};

function abortedWith(reason: Error): AbortController {
  const controller = new AbortController();
  controller.abort(reason);
  return controller;
}
