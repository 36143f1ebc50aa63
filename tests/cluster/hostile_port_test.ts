// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- What was measured is worth a line.

import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { type PeerServiceManager, type PeerServiceOptions, startPeerService } from "../../mod.ts";
import { FrameKind } from "../../wire/frame_kind.ts";
import { encode } from "../../wire/message_pack_encode.ts";
import { seededRandom } from "../seeded_random.ts";
import { concat, pattern } from "../connections/fake_stream.ts";
import { encodeHello, PROTOCOL_VERSIONS } from "../../connections/handshake/hello.ts";
import { type Answer, frame, hello, HostileClient, introduction } from "./hostile_client.ts";
import { firstOf, present } from "../values.ts";

const MIB = 2 ** 20;

/** A pair of nodes, of which the first has a hostile visitor; says at the end whether any node was disturbed. */
async function withVictim(
  options: PeerServiceOptions,
  body: (victim: PeerServiceManager, address: Deno.NetAddr) => Promise<void>,
): Promise<void> {
  await using victim = await startPeerService({ name: "victim", preset: "local", ...options });
  await using other = await startPeerService({ name: "other", preset: "local", ...options });
  await other.syncJoin(victim.spec);
  const disturbed: string[] = [];
  for (const node of [victim, other]) {
    for (const type of ["down", "leave", "join", "suspect", "error"] as const) {
      node.addEventListener(type, ({ detail }) => disturbed.push(`${node.name}: ${type} ${JSON.stringify(detail)}`));
    }
  }
  const { hostname, port } = firstOf(victim.spec.addresses);
  await body(victim, { transport: "tcp", hostname, port });
  other.register("echo", (message) => message);
  assertEquals(await victim.call("other", "echo", "undisturbed"), "undisturbed");
  assertEquals(disturbed, []);
  assertEquals([victim.members(), other.members()], [["other", "victim"], ["other", "victim"]]);
}

/** Answers to a client that says this and listens. */
async function answersTo(address: Deno.NetAddr, ...words: Uint8Array[]): Promise<Answer[]> {
  using client = await HostileClient.dial(address);
  for (const word of words) await client.say(word);
  return await client.hearAll();
}

const REFUSED: readonly [what: string, changes: Record<string, unknown>, code: string, reason: RegExp][] = [
  ["a wrong cluster", { cluster: "other" }, "cluster", /cluster is "other", expected "default"/],
  ["a later version", { versions: [98, 99] }, "version", /protocol version is 98 to 99, expected 2 to 2/],
  ["an earlier version", { versions: [0, 1] }, "version", /protocol version is 0 to 1/],
  ["a wrong strategy", { strategy: "x".repeat(1_000) }, "strategy", /strategy is "x{64}", expected "full-mesh"/],
  ["a secret where none is needed", { sealed: true }, "secret", /use of a secret is true, expected false/],
  ["a hello for another node", { to: "nobody" }, "wrong-node", /belongs to "victim"/],
  ["a channel that no node has", { channel: "nonsense" }, "channel", /nonsense/],
  ["a connection too many", { index: 7 }, "channel", /channel/],
];

for (const [what, changes, code, reason] of REFUSED) {
  Deno.test(`A client with ${what} is refused with a reason and counted`, async () => {
    await withVictim({}, async (victim, address) => {
      const answers = await answersTo(address, hello(changes));
      assertEquals(answers.map((answer) => [answer.kind, answer.code]), [[FrameKind.refused, code]]);
      assertMatch(present(firstOf(answers).reason), reason);
      assertEquals(victim.stats().connections.refused, { [code]: 1 });
    });
  });
}

Deno.test("A client that does not know the secret is refused, whatever it claims", async () => {
  await withVictim({ secret: "s3cret" }, async (victim, address) => {
    assertEquals((await answersTo(address, hello()))[0]?.code, "secret");
    const noise = concat(encodeHello({ versions: PROTOCOL_VERSIONS, cluster: "default", sealed: true }), pattern(48));
    const sealed = frame(FrameKind.hello, noise);
    const answers = await answersTo(address, sealed, introduction());
    assertEquals(answers.map(({ kind, code }) => [kind, code]), [[FrameKind.refused, "protocol"]]);
    assertEquals(firstOf(answers).reason, "Cannot finish the handshake: it is malformed");
    const { refused, protocolErrors } = victim.stats().connections;
    assertEquals(refused, { secret: 1 });
    assertEquals(protocolErrors, 1);
  });
});

const GARBAGE: readonly [what: string, bytes: Uint8Array][] = [
  ["an HTTP request", new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")],
  ["a TLS client hello", new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, ...new Uint8Array(500)])],
  ["zeros", new Uint8Array(100_000)],
  ["ones", new Uint8Array(100_000).fill(0xff)],
  ["a frame of length 0", frame(FrameKind.hello, new Uint8Array(), 0)],
  ["an oversized frame", frame(FrameKind.hello, new Uint8Array(1_000), 0x7fff_ffff)],
  ["a hello of 4 KiB and a byte", frame(FrameKind.hello, new Uint8Array(4 * 1024 + 1))],
  ["an introduction of 64 KiB and a byte", hello({ strategy: "x".repeat(64 * 1024) })],
  ["a hello of lists in lists", frame(FrameKind.hello, new Uint8Array(4_000).fill(0x91))],
  ["a hello that claims 65,535 bytes", frame(FrameKind.hello, hello().slice(5, 15).fill(255, 9))],
  ["a hello without a specification", hello({ spec: null })],
  ["a hello with an incarnation of infinity", hello({ spec: { name: "x", incarnation: Infinity } })],
  ["a message before the handshake", frame(FrameKind.message, encode("hi"))],
  ["a kind that does not exist", frame(0xfe, new Uint8Array(10))],
];

for (const [what, bytes] of GARBAGE) {
  Deno.test(`A client that sends ${what} is refused with a reason and counted`, async () => {
    await withVictim({}, async (victim, address) => {
      const answers = await answersTo(address, bytes);
      assertEquals(answers.map((answer) => [answer.kind, answer.code]), [[FrameKind.refused, "protocol"]]);
      assertMatch(present(firstOf(answers).reason), /^Cannot /);
      assertEquals(victim.stats().connections.protocolErrors, 1);
    });
  });
}

Deno.test("Seeded garbage of every length is refused and disturbs no node", async () => {
  await withVictim({}, async (victim, address) => {
    const random = seededRandom(1);
    const before = victim.stats().connections.accepted;
    for (let round = 0; round < 100; round++) {
      const bytes = new Uint8Array(random.int(2_000)).map(() => random.int(256));
      using client = await HostileClient.dial(address);
      await client.say(bytes);
    }
    assertLess(before, victim.stats().connections.accepted);
  });
});

Deno.test("A trusted connection that turns to garbage is closed, and nothing else", async () => {
  await using victim = await startPeerService({ name: "victim", preset: "local" });
  await using other = await startPeerService({ name: "other", preset: "local" });
  await other.syncJoin(victim.spec);
  const { hostname, port } = firstOf(victim.spec.addresses);
  const told = Promise.withResolvers<string>();
  victim.addEventListener("error", ({ detail }) => told.resolve(`${detail.node}: ${detail.during}: ${detail.error}`));
  using client = await HostileClient.dial({ hostname, port });
  await client.say(hello());
  await client.say(frame(FrameKind.strategy, new Uint8Array([0xc1])));
  assertMatch(await told.promise, /^stranger: reading from channel "membership"/);
  await client.hearAll();
  assert(victim.isConnected("other") && other.isConnected("victim"));
});

Deno.test("Half-open and slow clients lose their connection at the handshake's deadline", async () => {
  await withVictim({}, async (victim, address) => {
    using silent = await HostileClient.dial(address);
    using slow = await HostileClient.dial(address);
    using halfway = await HostileClient.dial(address);
    await halfway.say(hello().subarray(0, 50));
    let dripping = true;
    const drip = (async () => {
      // One byte at a time: each is a sign of life, and none of them buys time.
      for (const byte of hello()) {
        if (!dripping || !await slow.say(new Uint8Array([byte]))) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await Promise.all([silent.hearAll(), halfway.hearAll(), slow.hearAll()]);
    dripping = false;
    await drip;
    assertEquals(victim.stats().connections.handshakeTimeouts, 3);
  });
});

Deno.test("Thousands of connections that say nothing: a bound holds, later ones are told so, memory stays", async () => {
  // With the longest deadline, so that none of them passes meanwhile.
  await withVictim({ preset: "wan" }, async (victim, address) => {
    const rss = Deno.memoryUsage().rss;
    const clients: HostileClient[] = [];
    for (let wave = 0; wave < 30; wave++) {
      clients.push(...await Promise.all(Array.from({ length: 100 }, () => HostileClient.dial(address))));
    }
    const last = await HostileClient.dial(address);
    assertEquals((await last.hearAll())[0]?.code, "overloaded");
    const { overloaded, accepted } = victim.stats().connections;
    assertGreater(accepted, 3_000);
    assertGreater(overloaded, 1_900);
    const grown = (Deno.memoryUsage().rss - rss) / MIB;
    console.log(
      `  3,000 silent connections: ${overloaded} told to go away, ${grown.toFixed(1)} MiB more memory on both sides`,
    );
    assertLess(grown, 200);
    for (const client of [...clients, last]) client[Symbol.dispose]();
  });
});

Deno.test("A flood of large garbage needs no large memory", async () => {
  await withVictim({}, async (victim, address) => {
    const rss = Deno.memoryUsage().rss;
    const flood = new Uint8Array(4 * MIB).fill(0x41);
    await Promise.all(Array.from({ length: 50 }, () => answersTo(address, flood)));
    assertEquals(victim.stats().connections.protocolErrors, 50);
    assertLess((Deno.memoryUsage().rss - rss) / MIB, 200);
  });
});
