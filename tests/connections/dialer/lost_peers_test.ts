// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { type LostPeer, LostPeers } from "../../../connections/dialer/lost_peers.ts";
import { bareRuntime } from "../bare_runtime.ts";

const COURTESY = 1_000;

/** A dialer that notes after which waits it may dial. */
class Dialer implements LostPeer {
  readonly waits: number[] = [];

  redial(wait: number): void {
    this.waits.push(wait);
  }
}

function bench() {
  const runtime = bareRuntime();
  const lost = new LostPeers(runtime, COURTESY);
  const lose = (count: number) => {
    const dialers = Array.from({ length: count }, () => new Dialer());
    for (const dialer of dialers) {
      const wait = lost.add(dialer);
      if (wait !== undefined) dialer.redial(wait);
    }
    return dialers;
  };
  return { runtime, lost, lose };
}

/** Whether it waits, and for as long as one of many does. */
function isHeld(wait: number | undefined): boolean {
  return wait !== undefined && wait >= COURTESY / 4 && wait <= COURTESY / 2;
}

Deno.test("LostPeers has one or two that are lost dialed in the next turn, and not before", async () => {
  for (const count of [1, 2]) {
    const { runtime, lose } = bench();
    const dialers = lose(count);
    assertEquals(dialers.map(({ waits }) => waits), dialers.map(() => []));
    await runtime.pass(0);
    assertEquals(dialers.map(({ waits }) => waits), dialers.map(() => [0]));
  }
});

Deno.test("LostPeers has many that are lost in one turn wait, each for another time", async () => {
  const { runtime, lose } = bench();
  const dialers = lose(20);
  await runtime.pass(0);
  const waits = dialers.map(({ waits }) => waits);
  assert(waits.every((waits) => waits.length === 1 && isHeld(waits[0])), `${waits}`);
  assertEquals(new Set(waits.flat()).size, 20);
});

Deno.test("LostPeers has those that it let dial wait as well, once there are many", async () => {
  const { runtime, lose } = bench();
  const few = lose(2);
  await runtime.pass(100);
  const rest = lose(1);
  await runtime.pass(0);
  for (const { waits } of few) assert(waits.length === 2 && waits[0] === 0 && isHeld(waits[1]), `${waits}`);
  for (const { waits } of rest) assert(waits.length === 1 && isHeld(waits[0]), `${waits}`);
});

Deno.test("LostPeers takes for few what is lost after a pause, and one that is lost again and again", async () => {
  const { runtime, lost, lose } = bench();
  lose(20);
  await runtime.pass(251);
  const dialers = lose(2);
  for (let times = 0; times < 3; times++) {
    await runtime.pass(1);
    for (const dialer of dialers) assertEquals(lost.add(dialer), undefined);
  }
  await runtime.pass(0);
  assertEquals(dialers.map(({ waits }) => waits), [[0, 0, 0, 0], [0, 0, 0, 0]]);
});

Deno.test("LostPeers forgets none that was lost in a turn that lasts longer than what belongs together", async () => {
  for (const later of [1, 2, 3]) {
    const { runtime, lose } = bench();
    const first = lose(1);
    // A handler of the user holds the event loop.
    runtime.clock.moveTo(300);
    const rest = lose(later);
    await runtime.pass(0);
    for (const { waits } of [...first, ...rest]) assertEquals(waits.length, 1, `${later} more`);
  }
});

Deno.test("LostPeers has one dialed in the next turn of an event loop that has turns, and not behind the task that lost it", async () => {
  const runtime = bareRuntime();
  const turns: (() => void)[] = [];
  const lost = new LostPeers({ ...runtime, nextTurn: (callback) => void turns.push(callback) }, COURTESY);
  const dialer = new Dialer();
  assertEquals(lost.add(dialer), undefined);
  await runtime.pass(0);
  assertEquals(dialer.waits, []);
  for (const turn of turns) turn();
  assertEquals(dialer.waits, [0]);
});
