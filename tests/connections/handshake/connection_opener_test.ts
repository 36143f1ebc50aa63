// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { NodeSpec } from "../../../wire/node_spec.ts";
import { ConnectionOpener } from "../../../connections/handshake/connection_opener.ts";
import { FrameKind } from "../../../wire/frame_kind.ts";
import { FrameReader } from "../../../wire/frame_reader.ts";
import { dialHandshake } from "../../../connections/handshake/handshake.ts";
import type { ConnectionRequest } from "../../../connections/handshake/introduction.ts";
import type { Session } from "../../../connections/handshake/session.ts";
import type { MemoryHost } from "../../../transport/memory/memory_host.ts";
import { MemoryNetwork } from "../../../transport/memory/memory_transport.ts";
import { decode } from "../../../wire/message_pack_decode.ts";
import { HandshakeRefusedError, type Refusal, type RefusalCode } from "../../../connections/handshake/refusal.ts";
import type { ByteStream } from "../../../transport/transport.ts";
import type { Address } from "../../../wire/address.ts";
import { nodeSpec } from "../../node_spec.ts";
import { clusterIdentity } from "../cluster_identity.ts";
import { bareRuntime } from "../bare_runtime.ts";
import { FakeStream, frame, pattern } from "../fake_stream.ts";
import { firstOf, present } from "../../values.ts";

const TIMEOUT = 5000;
const REQUEST: ConnectionRequest = {
  spec: nodeSpec("a"),
  to: "b",
  toIncarnation: 0,
  channel: "default",
  index: 0,
  dial: 1,
  seen: 0,
};

interface SideOptions {
  readonly cluster?: string;
  readonly secrets?: readonly string[];
  readonly halfOpenMax?: number;
}

type Accepted = Session & { request: ConnectionRequest } | null;

/** Hosts that open connections with each other. */
class Bench {
  readonly #runtime = bareRuntime();
  readonly network = new MemoryNetwork({ clock: this.#runtime.clock, windowBytes: 4096 });
  readonly accepted: Promise<Accepted>[] = [];

  /** An opener on a host of its own. */
  async opener(host: string, { cluster = "blue", secrets = [], halfOpenMax = 4 }: SideOptions = {}) {
    const runtime = { ...this.#runtime, transport: this.network.transport(host) };
    const identity = await clusterIdentity(runtime, host, secrets, { cluster });
    return new ConnectionOpener({ runtime, identity, handshakeTimeout: TIMEOUT, halfOpenMax });
  }

  /** Has an opener answer every dialer of its host. */
  async answer(
    opener: ConnectionOpener,
    spec: NodeSpec,
    admit: (request: ConnectionRequest) => Promise<Refusal | null> = () => Promise.resolve(null),
  ): Promise<Address> {
    return await this.listen(spec.name, (stream) => {
      const accepting = opener.accept(stream, spec, admit);
      accepting.catch(() => {});
      this.accepted.push(accepting);
    });
  }

  async listen(host: string, accept: (stream: ByteStream) => void): Promise<Address> {
    return (await this.network.transport(host).listen({ hostname: host, port: 0 }, accept)).address;
  }

  /** A client without manners. */
  connect(address: Address): Promise<ByteStream> {
    return this.network.transport("stranger").connect(address);
  }

  pass(milliseconds: number): Promise<void> {
    return this.#runtime.pass(milliseconds);
  }

  get now(): number {
    return this.#runtime.clock.now();
  }

  /** Number of streams that a host still has open, and of timers that are still due. */
  leftovers(host: string): { streams: number; timers: number } {
    const { streams } = this.network.transport(host) as MemoryHost;
    return { streams: streams.size, timers: this.#runtime.clock.pending };
  }

  /** Settles like `promise` once enough virtual time has passed. */
  async settle<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
    let result: PromiseSettledResult<T> | undefined;
    Promise.allSettled([promise]).then(([settled]) => result = settled);
    for (let count = 0; count < 100 && result === undefined; count++) await this.pass(count === 0 ? 0 : TIMEOUT / 10);
    return present(result);
  }
}

const NOTHING = { streams: 0, timers: 0 };

function refusalWith(code: RefusalCode): Refusal {
  return { code, reason: `Cannot accept: ${code}` };
}

/** A specification as a node with these secrets has it. */
async function keyedSpec(name: string, secrets: readonly string[]): Promise<NodeSpec> {
  const { keys } = await clusterIdentity(bareRuntime(), name, secrets);
  return nodeSpec(name, 1, keys === null ? {} : { key: keys.publicKey });
}

/** First bytes of a dialer with these secrets. */
async function hello(secrets: readonly string[]): Promise<Uint8Array> {
  const runtime = bareRuntime();
  const stream = new FakeStream();
  const identity = await clusterIdentity(runtime, "a", secrets);
  const reader = new FrameReader(stream, 1000);
  dialHandshake({ stream, reader, identity, runtime }, REQUEST).catch(() => {});
  return stream.written();
}

/** Reads what comes until the other end closes. */
async function readAll(stream: ByteStream): Promise<{ kind: number; body: Record<string, unknown> }[]> {
  const reader = new FrameReader(stream, 100_000);
  const frames = [];
  for (let frame = await reader.next(); frame !== null; frame = await reader.next()) {
    frames.push({ kind: frame.kind, body: decode(frame.body) as Record<string, unknown> });
  }
  return frames;
}

Deno.test("ConnectionOpener opens a stream to the node that is meant, and leaves no timer behind", async () => {
  const bench = new Bench();
  for (const secrets of [[], ["s3cret"]]) {
    const [a, b] = [await bench.opener("a", { secrets }), await bench.opener("b", { secrets })];
    const [spec, other] = [await keyedSpec("a", secrets), await keyedSpec("b", secrets)];
    const opened = await a.dial([await bench.answer(b, other)], { ...REQUEST, spec });
    assertEquals(opened.spec, other);
    assertEquals((await bench.accepted.pop())?.request, { ...REQUEST, spec });
    assertEquals([a.stats.dials, a.stats.dialFailures, b.stats.accepted], [1, 0, 1]);
    assertEquals(bench.leftovers("a").timers, 0);
    opened.stream.close();
  }
});

Deno.test("ConnectionOpener.dial() tries the addresses one soon after the other, past those where no node or a stranger answers", async () => {
  const bench = new Bench();
  const a = await bench.opener("a");
  const nobody = { hostname: "nobody", port: 1 };
  const silent = await bench.listen("silent", () => {});
  const rude = await bench.listen("rude", (stream) => stream.close());
  const green = await bench.answer(await bench.opener("green", { cluster: "green" }), nodeSpec("green"));
  const other = await bench.answer(await bench.opener("c"), nodeSpec("c"));
  const right = await bench.answer(await bench.opener("b"), nodeSpec("b"));
  const never = await bench.listen("never", () => assert(false, "dialed although another one had answered"));
  const result = await bench.settle(a.dial([nobody, silent, rude, green, other, right, never], REQUEST));
  assert(result.status === "fulfilled");
  assertEquals(result.value.spec.name, "b");
  assertEquals([a.stats.dials, a.stats.dialFailures, a.stats.handshakeTimeouts], [1, 0, 0]);
  result.value.stream.close();
  assertEquals(bench.leftovers("a"), NOTHING);
});

Deno.test("ConnectionOpener.dial() does not look elsewhere once the node that is meant has refused", async () => {
  const codes: RefusalCode[] = [
    "self",
    "name-in-use",
    "stale-incarnation",
    "duplicate",
    "channel",
    "partitioned",
    "stopping",
  ];
  for (const code of codes) {
    const bench = new Bench();
    const a = await bench.opener("a");
    const refusal = { ...refusalWith(code), known: 77 };
    const b = await bench.answer(await bench.opener("b"), nodeSpec("b"), () => Promise.resolve(refusal));
    const error = await assertRejects(
      () => a.dial([b, { hostname: "nobody", port: 1 }], REQUEST),
      HandshakeRefusedError,
    );
    assertEquals(error.refusal, refusal);
    assertEquals(a.stats.dialFailures, 1);
    assertEquals(bench.leftovers("a"), NOTHING);
  }
});

Deno.test("ConnectionOpener.dial() rejects with the last failure, or because there is no address", async () => {
  const bench = new Bench();
  const a = await bench.opener("a");
  await assertRejects(() => a.dial([], REQUEST), Error, 'Cannot dial "b": it has no address');
  await assertRejects(() => a.dial([{ hostname: "x", port: 1 }], REQUEST), Error, "connection refused");
  assertEquals([a.stats.dials, a.stats.dialFailures], [2, 2]);
});

Deno.test("ConnectionOpener.dial() gives up on silence at every step when the time is up", async () => {
  const secrets = ["x"];
  const steps: Record<string, (bench: Bench) => Promise<Address>> = {
    "no answer to the connect": async (bench) => {
      bench.network.cut("a", "b");
      return await bench.listen("b", () => {});
    },
    "no welcome": (bench) => bench.listen("b", () => {}),
    "half a welcome": (bench) =>
      bench.listen("b", (stream) => stream.write(frame(FrameKind.welcome, pattern(9)).subarray(0, 9))),
    "no word that all is ready": async (bench) =>
      await bench.answer(await bench.opener("b", { secrets }), nodeSpec("b"), () => new Promise(() => {})),
  };
  for (const [step, prepare] of Object.entries(steps)) {
    const bench = new Bench();
    const a = await bench.opener("a", { secrets });
    const request = { ...REQUEST, spec: await keyedSpec("a", secrets) };
    const dialing = a.dial([await prepare(bench)], request);
    dialing.catch(() => {});
    await bench.pass(TIMEOUT - 1);
    assertEquals(a.stats.dialFailures, 0, step);
    await bench.pass(1);
    const error = await assertRejects(() => dialing, DOMException, `within ${TIMEOUT} ms`);
    assertEquals(error.name, "TimeoutError", step);
    assertEquals(a.stats.handshakeTimeouts, 1, step);
    await bench.pass(0);
    assertEquals(bench.leftovers("a"), NOTHING, step);
  }
});

Deno.test("ConnectionOpener.dial() gives up when its signal is aborted, at every step, and dials no further address", async () => {
  const next = { hostname: "next", port: 1 };
  for (const step of ["before", "connecting", "shaking hands"]) {
    const bench = new Bench();
    const a = await bench.opener("a");
    const controller = new AbortController();
    const address = await bench.listen("b", () => {});
    if (step === "before") controller.abort(new Error("Enough"));
    if (step === "connecting") bench.network.cut("a", "b");
    const dialing = a.dial([address, next], REQUEST, { signal: controller.signal });
    dialing.catch(() => {});
    await bench.pass(1);
    controller.abort(new Error("Enough"));
    await assertRejects(() => dialing, Error, "Enough");
    await bench.pass(0);
    assertEquals(bench.leftovers("a"), NOTHING, step);
    assertEquals(a.stats.handshakeTimeouts, 0, step);
  }
});

Deno.test("ConnectionOpener.dial() leaves nothing on the signal of its caller", async () => {
  const bench = new Bench();
  const [a, b] = [await bench.opener("a"), await bench.opener("b")];
  const { signal } = new AbortController();
  const listening = new Set<unknown>();
  signal.addEventListener = (_: string, listener: unknown) => void listening.add(listener);
  signal.removeEventListener = (_: string, listener: unknown) => void listening.delete(listener);
  const { stream } = await a.dial([await bench.answer(b, nodeSpec("b"))], REQUEST, { signal });
  await assertRejects(() => a.dial([{ hostname: "x", port: 1 }], REQUEST, { signal }));
  assertEquals(listening.size, 0);
  stream.close();
});

Deno.test("ConnectionOpener.accept() closes a client that is silent at any step when the time is up", async () => {
  const steps: Record<string, (stream: ByteStream) => Promise<void>> = {
    "not a byte": () => Promise.resolve(),
    "half a header": (stream) => stream.write(new Uint8Array(3)),
    "half a hello": (stream) => stream.write(frame(FrameKind.hello, pattern(90)).subarray(0, 50)),
  };
  for (const [step, act] of Object.entries(steps)) {
    const bench = new Bench();
    const b = await bench.opener("b");
    const stream = await bench.connect(await bench.answer(b, nodeSpec("b")));
    await act(stream);
    await bench.pass(TIMEOUT - 1);
    assertEquals(b.stats.handshakeTimeouts, 0, step);
    await bench.pass(1);
    assertEquals(await bench.accepted[0], null, step);
    assertEquals([b.stats.handshakeTimeouts, b.stats.protocolErrors], [1, 0], step);
    assertEquals(await stream.read(new Uint8Array(10)), null, step);
    stream.close();
    assertEquals(bench.leftovers("b"), NOTHING, step);
  }
});

Deno.test("ConnectionOpener.accept() closes a client that greets and then says nothing more, or reads nothing", async () => {
  for (const reads of [true, false]) {
    const bench = new Bench();
    const b = await bench.opener("b", { secrets: ["x"] });
    const stream = await bench.connect(await bench.answer(b, nodeSpec("b")));
    await stream.write(await hello(["x"]));
    if (reads) assert(await stream.read(new Uint8Array(4096)));
    await bench.pass(TIMEOUT);
    assertEquals(await bench.accepted[0], null);
    assertEquals(b.stats.handshakeTimeouts, 1);
    assertEquals(bench.leftovers("b"), NOTHING);
    stream.close();
  }
});

Deno.test("ConnectionOpener.accept() gives a client all in all no more than its time, however it spreads its bytes", async () => {
  const bench = new Bench();
  const b = await bench.opener("b");
  const stream = await bench.connect(await bench.answer(b, nodeSpec("b")));
  const hello = frame(FrameKind.hello, pattern(4000));
  for (let at = 0; at < 50; at++) {
    await stream.write(hello.subarray(at, at + 1)).catch(() => {});
    await bench.pass(TIMEOUT / 20);
  }
  assertEquals(b.stats.handshakeTimeouts, 1);
  assertEquals(bench.leftovers("b"), NOTHING);
  stream.close();
});

Deno.test("ConnectionOpener.accept() tells garbage why it is refused, and counts it", async () => {
  const cases: [Uint8Array, string][] = [
    [
      new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
      `its length is 1195725856 bytes (they spell "GET "), the limit is 4096`,
    ],
    [new Uint8Array(5), "its length is 0"],
    [frame(FrameKind.ping, [1, 2, 3, 4]), "it did not say hello"],
    [frame(FrameKind.hello, [0xc1]), "the hello is malformed"],
  ];
  const bench = new Bench();
  const b = await bench.opener("b");
  const address = await bench.answer(b, nodeSpec("b"));
  for (const [bytes, reason] of cases) {
    const stream = await bench.connect(address);
    await stream.write(bytes);
    const [answer, ...more] = await readAll(stream);
    assertEquals(answer?.kind, FrameKind.refused);
    assertEquals(answer?.body.code, "protocol");
    assertStringIncludes(`${answer?.body.reason}`, reason);
    assertEquals(more, []);
    stream.close();
  }
  assertEquals(b.stats.protocolErrors, cases.length);
  assertEquals(b.stats.accepted, cases.length);
  assertEquals(bench.leftovers("b"), NOTHING);
});

Deno.test("ConnectionOpener.accept() counts refusals by their reason", async () => {
  const bench = new Bench();
  const b = await bench.opener("b");
  const address = await bench.answer(b, nodeSpec("b"), () => Promise.resolve(refusalWith("duplicate")));
  const [a, green] = [await bench.opener("a"), await bench.opener("green", { cluster: "green" })];
  await assertRejects(() => a.dial([address], REQUEST), HandshakeRefusedError);
  await assertRejects(() => a.dial([address], REQUEST), HandshakeRefusedError);
  await assertRejects(() => green.dial([address], REQUEST), HandshakeRefusedError);
  assertEquals(b.stats.refused, { duplicate: 2, cluster: 1 });
  assertEquals(await Promise.all(bench.accepted), [null, null, null]);
  assertEquals(bench.leftovers("b"), NOTHING);
});

Deno.test("ConnectionOpener.accept() tells those who come while too many shake hands, and takes others once some are done", async () => {
  const bench = new Bench();
  const b = await bench.opener("b", { halfOpenMax: 2 });
  const address = await bench.answer(b, nodeSpec("b"));
  const pending = [await bench.connect(address), await bench.connect(address)];
  const late = await bench.connect(address);
  const [answer] = await readAll(late);
  assertEquals(answer?.body.code, "overloaded");
  assertStringIncludes(`${answer?.body.reason}`, "2 others have not finished their handshakes");
  late.close();
  assertEquals([b.stats.overloaded, b.stats.accepted], [1, 3]);
  firstOf(pending).close();
  await bench.pass(0);
  const { stream } = await (await bench.opener("a")).dial([address], REQUEST);
  assertEquals(b.stats.overloaded, 1);
  await bench.pass(TIMEOUT);
  assertEquals(b.stats.handshakeTimeouts, 1);
  stream.close();
});

Deno.test("ConnectionOpener.accept() waits for few of those that it turns away, and for none of them for long", async () => {
  const bench = new Bench();
  const b = await bench.opener("b", { halfOpenMax: 0 });
  const streams = Array.from({ length: 100 }, () => {
    const stream = new FakeStream();
    stream.holdWrites = true;
    return stream;
  });
  const accepting = streams.map((stream) => b.accept(stream, nodeSpec("b"), () => Promise.resolve(null)));
  await bench.pass(0);
  assertEquals(streams.filter(({ closed }) => !closed).length, 64);
  await bench.pass(TIMEOUT);
  assert(streams.every(({ closed }) => closed));
  assertEquals((await Promise.all(accepting)).filter((opened) => opened !== null), []);
  assertEquals(b.stats.overloaded, 100);
  assertEquals(bench.leftovers("b"), NOTHING);
});

Deno.test("ConnectionOpener.accept() returns null for a client that closes without a word, and counts nothing but that it came", async () => {
  const bench = new Bench();
  const b = await bench.opener("b");
  (await bench.connect(await bench.answer(b, nodeSpec("b")))).close();
  assertEquals(await bench.accepted[0], null);
  const { accepted, ...others } = b.stats;
  assertEquals(accepted, 1);
  assert(Object.values(others).every((count) => count === 0 || Object.keys(count).length === 0));
  assertEquals(bench.leftovers("b"), NOTHING);
});

Deno.test("ConnectionOpener.accept() waits no longer for admission than for the rest", async () => {
  const bench = new Bench();
  const [a, b] = [await bench.opener("a"), await bench.opener("b")];
  const address = await bench.answer(b, nodeSpec("b"), () => new Promise(() => {}));
  const dialing = a.dial([address], REQUEST);
  dialing.catch(() => {});
  await bench.pass(TIMEOUT);
  const [result] = await Promise.allSettled([dialing]);
  assertEquals(result.status, "rejected");
  assertEquals(bench.leftovers("b"), NOTHING);
});

Deno.test("ConnectionOpener.stop() gives up every handshake under way, on both sides", async () => {
  const bench = new Bench();
  const [a, b] = [await bench.opener("a"), await bench.opener("b")];
  const silent = await bench.listen("silent", () => {});
  const client = await bench.connect(await bench.answer(b, nodeSpec("b")));
  const dialing = a.dial([silent, silent], REQUEST);
  dialing.catch(() => {});
  await bench.pass(1);
  a.stop();
  b.stop();
  await assertRejects(() => dialing, Error, "Cannot open a connection: the node was stopped");
  await assertRejects(() => a.dial([silent], REQUEST), Error, "the node was stopped");
  assertEquals(await bench.accepted[0], null);
  await bench.pass(0);
  for (const host of ["a", "b"]) assertEquals(bench.leftovers(host), NOTHING);
  assertEquals(bench.now, 1);
  client.close();
});
