// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import type { Connection } from "../../../connections/connection.ts";
import { Peer } from "../../../connections/peer.ts";
import { DialTurns } from "../../../connections/dialer/dial_turns.ts";
import { LostPeers } from "../../../connections/dialer/lost_peers.ts";
import { LONGEST_WAIT, PATIENCE, PeerDialer, type PeerDialerHost } from "../../../connections/dialer/peer_dialer.ts";
import { HandshakeRefusedError } from "../../../connections/handshake/refusal.ts";
import { nodeSpec } from "../../node_spec.ts";
import { firstOf, lastOf, present } from "../../values.ts";
import { bareRuntime, pass } from "../bare_runtime.ts";

const BACKOFF = { initial: 50, cap: 2000 };
const COURTESY = 250;
const PLAIN = { parallelism: 1, monotonic: false, compression: false };
const CHANNELS = { default: PLAIN, membership: PLAIN, bulk: { ...PLAIN, parallelism: 2 } };

interface Dial {
  readonly slot: string;
  readonly at: number;
  readonly succeed: () => void;
  readonly fail: (error?: Error) => void;
}

/** The dialer of node `self` for peer "b", and a pool that does as the test says. */
class Bench implements PeerDialerHost {
  readonly runtime = bareRuntime();
  readonly backoff = BACKOFF;
  readonly courtesy = COURTESY;
  readonly slots = { run: async (dial: () => Promise<unknown>) => void await dial(), slowness: { multiplier: 1 } };
  readonly peer: Peer;
  readonly dialer: PeerDialer;
  /** Every dial so far. */
  readonly dials: Dial[] = [];
  /** Listener that decides a dial at once. */
  onDial: (dial: Dial) => void = () => {};
  promised = "";
  /** Number of times that the peer was told to be back. */
  returns = 0;
  readonly #self: string;

  constructor(self = "a") {
    this.#self = self;
    this.peer = new Peer(nodeSpec("b", 1, { channels: CHANNELS }), nodeSpec(self));
    this.peer.wanted = true;
    const lines = { turns: new DialTurns(this.runtime.clock), lost: new LostPeers(this.runtime, COURTESY) };
    this.dialer = new PeerDialer(this.peer, this, lines, () => this.returns++);
  }

  dialFailed(): void {}

  selfName(): string {
    return this.#self;
  }

  isPromised(_: Peer, channel: string, index: number): boolean {
    return this.promised === `${channel} ${index}`;
  }

  dial(_: Peer, channel: string, index: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const succeed = () => {
      this.open(channel, index, true);
      resolve();
    };
    const fail = (error = new Error("Connection refused")) => reject(error);
    const dial = { slot: `${channel} ${index}`, at: this.runtime.clock.now(), succeed, fail };
    this.dials.push(dial);
    this.onDial(dial);
    return promise;
  }

  /** A connection opens. */
  open(channel: string, index = 0, outbound = false): void {
    this.peer.fill(
      { channel, index, dial: 1, outbound, early: null, features: new Set() } as Partial<
        Connection<Peer>
      > as Connection<Peer>,
    );
  }

  /** A connection closes, and the dialer is told. */
  close(channel: string, index = 0): void {
    this.peer.remove(present(this.peer.at(channel, index)));
    this.dialer.reconcile();
  }

  pass(milliseconds: number): Promise<void> {
    return pass(this.runtime.clock, milliseconds);
  }

  /** Number of dials that newDials() has returned so far. */
  taken = 0;
  newDials(): string[] {
    const slots = this.dials.slice(this.taken).map(({ slot }) => slot);
    this.taken = this.dials.length;
    return slots;
  }
}

/** A dialer whose dials all succeed, with all connections open. */
async function connected(self = "a"): Promise<Bench> {
  const bench = new Bench(self);
  bench.onDial = (dial) => dial.succeed();
  bench.dialer.reconcile();
  await bench.pass(COURTESY);
  bench.newDials();
  return bench;
}

Deno.test("PeerDialer dials the membership connection first, and once that is open all others at once", async () => {
  const bench = new Bench();
  bench.dialer.reconcile();
  assertEquals(bench.newDials(), ["membership 0"]);
  firstOf(bench.dials).succeed();
  await bench.pass(0);
  assertEquals(bench.newDials().sort(), ["bulk 0", "bulk 1", "default 0"]);
  assertEquals(bench.runtime.clock.now(), 0);
});

Deno.test("PeerDialer dials a slot once, however often it is asked while the dial is under way", async () => {
  const bench = new Bench();
  for (let count = 0; count < 5; count++) {
    bench.dialer.reconcile();
    await bench.pass(1000);
  }
  assertEquals(bench.newDials(), ["membership 0"]);
});

Deno.test("PeerDialer of the node whose name sorts behind waits for its courtesy time", async () => {
  const bench = new Bench("c");
  bench.dialer.reconcile();
  await bench.pass(COURTESY - 1);
  bench.dialer.reconcile();
  assertEquals(bench.newDials(), []);
  await bench.pass(1);
  assertEquals(bench.newDials(), ["membership 0"]);
});

Deno.test("PeerDialer of a node that is late gives the other side more time, and no more once the node is in time again", async () => {
  const bench = new Bench("c");
  bench.slots.slowness.multiplier = 9;
  bench.dialer.reconcile();
  await bench.pass(3 * COURTESY - 1);
  assertEquals(bench.newDials(), []);
  bench.slots.slowness.multiplier = 1;
  await bench.pass(1);
  assertEquals(bench.newDials(), ["membership 0"]);
});

Deno.test("PeerDialer of the node whose name sorts behind dials nothing when the other side comes first", async () => {
  const bench = new Bench("c");
  bench.dialer.reconcile();
  await bench.pass(100);
  bench.open("membership");
  bench.dialer.reconcile();
  await bench.pass(100);
  for (const [channel, index] of [["default", 0], ["bulk", 0], ["bulk", 1]] as const) bench.open(channel, index);
  bench.dialer.reconcile();
  await bench.pass(10_000);
  assertEquals(bench.newDials(), []);
  assertEquals(bench.runtime.clock.pending, 0);

  bench.close("default");
  await bench.pass(COURTESY - 1);
  assertEquals(bench.newDials(), []);
  await bench.pass(1);
  assertEquals(bench.newDials(), ["default 0"]);
});

Deno.test("PeerDialer of the node whose name sorts behind waits anew for the further connections", async () => {
  const bench = new Bench("c");
  bench.dialer.reconcile();
  await bench.pass(COURTESY - 1);
  bench.open("membership");
  bench.dialer.reconcile();
  await bench.pass(COURTESY - 1);
  assertEquals(bench.newDials(), []);
  await bench.pass(1);
  assertEquals(bench.newDials().sort(), ["bulk 0", "bulk 1", "default 0"]);
});

Deno.test("PeerDialer leaves the dialing to the node that dialed the membership connection last", async () => {
  const ours = await connected("c");
  ours.close("membership");
  await ours.pass(0);
  assertEquals(ours.newDials(), ["membership 0"]);

  const theirs = new Bench("a");
  theirs.open("membership");
  theirs.dialer.reconcile();
  theirs.close("membership");
  assertEquals(theirs.newDials(), []);
  await theirs.pass(COURTESY);
  assertEquals(theirs.newDials(), ["membership 0"]);
});

Deno.test("PeerDialer dials a lost connection again at once, and only that", async () => {
  const bench = await connected();
  await bench.pass(10_000);
  bench.close("bulk", 1);
  await bench.pass(0);
  assertEquals(bench.newDials(), ["bulk 1"]);
});

Deno.test("PeerDialer tries for two minutes with waits that double up to the cap, less a random part of up to a half", async () => {
  const bench = new Bench();
  bench.onDial = (dial) => dial.fail();
  bench.dialer.reconcile();
  await bench.pass(PATIENCE);
  const waits = bench.dials.map(({ at }, index) => at - (bench.dials[index - 1]?.at ?? 0)).slice(1);
  for (const [index, wait] of waits.entries()) {
    const full = Math.min(BACKOFF.cap, BACKOFF.initial * 2 ** Math.min(index, 20));
    assertGreaterOrEqual(wait, full / 2);
    assertLessOrEqual(wait, full + 1);
  }
  assertGreaterOrEqual(waits.length, PATIENCE / BACKOFF.cap);
  assert(new Set(waits.slice(20).map((wait) => Math.round(wait / 100))).size > 5, "all waits are alike");
});

Deno.test("PeerDialer dials a peer that has been failing for two minutes ever more rarely, down to once a minute", async () => {
  const bench = new Bench();
  bench.onDial = (dial) => dial.fail();
  bench.dialer.reconcile();
  await bench.pass(PATIENCE + 4 * LONGEST_WAIT);
  bench.newDials();
  await bench.pass(20 * LONGEST_WAIT);
  const rare = bench.newDials().length;
  assertGreaterOrEqual(rare, 18);
  assertLessOrEqual(rare, 22);

  // A word of it ends the wait, once: without an answer, the waits rise again.
  bench.dialer.hearten();
  assertEquals(bench.newDials(), ["membership 0"]);
  await bench.pass(10 * LONGEST_WAIT);
  assertLessOrEqual(bench.newDials().length, 16);
  assertEquals(bench.returns, 0);

  bench.onDial = (dial) => dial.succeed();
  bench.dialer.hearten();
  await bench.pass(0);
  assertEquals(bench.newDials(), ["membership 0", "default 0", "bulk 0", "bulk 1"]);
  assertEquals(bench.returns, 1);
});

Deno.test("PeerDialer.hearten() changes nothing for a peer that has not been failing for long", async () => {
  const bench = new Bench();
  bench.onDial = (dial) => dial.fail();
  bench.dialer.reconcile();
  await bench.pass(10_000);
  bench.newDials();
  bench.dialer.hearten();
  assertEquals(bench.newDials(), []);
});

Deno.test("PeerDialer forgets past failures once a dial succeeded", async () => {
  const bench = await connected();
  for (let round = 0; round < 3; round++) {
    bench.onDial = (dial) => dial.fail();
    bench.close("membership");
    bench.close("default");
    await bench.pass(60_000);
    bench.newDials();
    bench.onDial = (dial) => dial.succeed();
    assertEquals(await bench.pass(BACKOFF.cap).then(() => bench.newDials()), ["membership 0", "default 0"]);
    assertEquals(lastOf(bench.dials).at, present(bench.dials.at(-2)).at);
  }
});

Deno.test("PeerDialer forgets past failures while it need not dial", async () => {
  const bench = new Bench();
  bench.onDial = (dial) => dial.fail();
  bench.dialer.reconcile();
  await bench.pass(60_000);
  bench.peer.wanted = false;
  bench.dialer.reconcile();
  await bench.pass(60_000);
  bench.newDials();
  bench.peer.wanted = true;
  bench.dialer.reconcile();
  await bench.pass(BACKOFF.initial + 1);
  assertEquals(bench.newDials(), ["membership 0", "membership 0"]);
});

Deno.test("PeerDialer does not dial a peer in a hot loop that takes connections and closes them at once", async () => {
  const bench = new Bench();
  bench.onDial = (dial) => {
    dial.succeed();
    queueMicrotask(() => bench.close("membership"));
  };
  bench.dialer.reconcile();
  await bench.pass(60_000);
  assertLessOrEqual(bench.dials.length, 100);
  assertGreaterOrEqual(bench.dials.length, 30);
});

Deno.test("PeerDialer does not dial in a hot loop when all but the membership connection are refused", async () => {
  const bench = new Bench();
  bench.onDial = (dial) => dial.slot === "membership 0" ? dial.succeed() : dial.fail();
  bench.dialer.reconcile();
  await bench.pass(60_000);
  assertLessOrEqual(bench.dials.length, 3 * 100);
});

Deno.test("PeerDialer gives the other side its courtesy time when that says that it is dialing itself", async () => {
  const bench = new Bench();
  const duplicate = new HandshakeRefusedError({ code: "duplicate", reason: "Cannot accept" });
  bench.onDial = (dial) => dial.fail(duplicate);
  bench.dialer.reconcile();
  await bench.pass(COURTESY - 1);
  assertEquals(bench.newDials(), ["membership 0"]);
  await bench.pass(1);
  assertEquals(bench.newDials(), ["membership 0"]);
  await bench.pass(60_000);
  assertLessOrEqual(bench.dials.length, 2 + 60_000 / COURTESY);
});

Deno.test("PeerDialer dials nothing for a peer that is not wanted, or behind an injected partition, and keeps no timer", async () => {
  for (const state of [{ wanted: false }, { partitioned: true }]) {
    const bench = new Bench("c");
    bench.dialer.reconcile();
    assertEquals(bench.runtime.clock.pending, 1);
    Object.assign(bench.peer, state);
    bench.dialer.reconcile();
    assertEquals(bench.runtime.clock.pending, 0);
    await bench.pass(10_000);
    assertEquals(bench.newDials(), []);
  }
});

Deno.test("PeerDialer dials the membership connection of a doubtful peer anew although it looks open", async () => {
  const bench = await connected();
  bench.peer.doubtful = true;
  bench.dialer.reconcile();
  await bench.pass(0);
  assertEquals(bench.newDials(), ["membership 0"]);
});

Deno.test("PeerDialer does not dial what the other side was promised", async () => {
  const bench = new Bench();
  bench.promised = "membership 0";
  bench.dialer.reconcile();
  await bench.pass(10_000);
  assertEquals(bench.newDials(), []);
  bench.promised = "";
  bench.dialer.reconcile();
  assertEquals(bench.newDials(), ["membership 0"]);
});

Deno.test("PeerDialer.encourage() dials at once whatever failed before", async () => {
  const bench = new Bench();
  bench.onDial = (dial) => dial.fail();
  bench.dialer.reconcile();
  await bench.pass(60_000);
  bench.newDials();
  bench.dialer.encourage();
  assertEquals(bench.newDials(), ["membership 0"]);
  await bench.pass(BACKOFF.initial + 1);
  assertEquals(bench.newDials(), ["membership 0"]);
});

Deno.test("PeerDialer.stop() leaves no timer, and nothing is dialed after it", async () => {
  const waiting = new Bench("c");
  waiting.dialer.reconcile();
  waiting.dialer.stop();
  assertEquals(waiting.runtime.clock.pending, 0);
  waiting.dialer.reconcile();
  waiting.dialer.encourage();
  assertEquals(waiting.runtime.clock.pending, 0);

  for (const finish of ["succeed", "fail"] as const) {
    const dialing = new Bench();
    dialing.dialer.reconcile();
    dialing.dialer.stop();
    firstOf(dialing.dials)[finish]();
    await dialing.pass(10_000);
    assertEquals(dialing.newDials(), ["membership 0"]);
    assertEquals(dialing.runtime.clock.pending, 0);
  }
});
