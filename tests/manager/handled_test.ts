// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallError, EncodeError, NoHandlerError, NotConnectedError, type PeerServiceManager } from "../../mod.ts";
import { scenario } from "./worlds.ts";

const ACK = { ack: true };

/** Whether a promise is settled already. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol();
  return await Promise.race([promise, Promise.resolve(open)]) !== open;
}

/** Tests what a message to another node and one to oneself have in common. */
function alike(title: string, body: (from: PeerServiceManager, to: PeerServiceManager) => Promise<void>): void {
  scenario(`${title}, on another node and on this one`, async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    await body(a, b);
    await body(a, a);
    world.errors.length = 0;
  });
}

alike("With ack, forwardMessage() resolves once the promise of the handler has", async (from, to) => {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  to.register("slow", async () => {
    begun.resolve();
    await ended.promise;
  });
  const sent = from.forwardMessage(to.name, "slow", 1, ACK);
  await begun.promise;
  // The answer to this comes behind all that could have been said of the other.
  await assertRejects(() => from.call(to.name, "nobody", 1), CallError);
  assert(!await isSettled(sent));
  ended.resolve();
  await sent;
});

alike("With ack, forwardMessage() rejects with what the handler throws or rejects with", async (from, to) => {
  let calls = 0;
  to.register("throws", () => {
    calls++;
    throw new RangeError("too much");
  });
  to.register("rejects", async () => {
    calls++;
    await Promise.resolve();
    throw Object.assign(new Error("no disk"), { name: "DiskError", code: "ENOSPC" });
  });
  const thrown = await assertRejects(() => from.forwardMessage(to.name, "throws", 1, ACK), CallError, "too much");
  assertEquals(thrown.remote, { name: "RangeError", message: "too much" });
  const rejected = await assertRejects(() => from.forwardMessage(to.name, "rejects", 1, ACK), CallError);
  assertEquals(rejected.remote, { name: "DiskError", message: "no disk", code: "ENOSPC" });
  const called = await assertRejects(() => from.call(to.name, "rejects", 1), CallError);
  assertEquals(called.remote, rejected.remote);
  assertEquals(calls, 3);
});

alike("With ack and without a handler, forwardMessage() rejects at its deadline", async (from, to) => {
  const told: unknown[] = [];
  to.addEventListener("undeliverable", ({ detail }) => told.push(detail));
  const options = { ...ACK, timeout: 200, retransmission: { initial: 20 } };
  const error = await assertRejects(() => from.forwardMessage(to.name, "nobody", 1, options), NoHandlerError);
  assertEquals(error.message, `Cannot deliver to "${to.name}": no handler is registered as "nobody" there`);
  const once = { ...ACK, retransmission: false };
  await assertRejects(() => from.forwardMessage(to.name, "nobody", 1, once), NoHandlerError);
  assertEquals(told.length, 2);
});

scenario("With ack and no deadline, forwardMessage() rejects for want of a handler after 5 s", async (world) => {
  const [a] = await world.cluster(["a", "b"]);
  const begin = world.clock.now();
  await assertRejects(() => a.forwardMessage("b", "nobody", 1, ACK), NoHandlerError);
  const seconds = (world.clock.now() - begin) / 1_000;
  assert(seconds >= 5 && seconds < 5.5, `${seconds}`);
}, ["memory"]);

alike("With ack, a handler that is registered a moment later is handed the message, once", async (from, to) => {
  const heard: unknown[] = [];
  to.addEventListener("undeliverable", () => void to.register("late", (message) => void heard.push(message)));
  await from.forwardMessage(to.name, "late", 1, { ...ACK, retransmission: { initial: 20 } });
  assertEquals(heard, [1]);
});

scenario(
  "A receiver that dies in the middle has not acknowledged, and its next incarnation is handed it",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const begun = Promise.withResolvers<void>();
    b.register("work", () => {
      begun.resolve();
      return new Promise(() => {});
    });
    const sent = a.forwardMessage("b", "work", "kept", ACK);
    await begun.promise;
    const { spec } = b;
    await b.stop();
    await world.until("a noticed", () => !a.isConnected("b"));
    assert(!await isSettled(sent));
    const again = await world.start("b", { listen: spec.addresses[0] });
    const heard = world.inbox(again, "work");
    await again.syncJoin(a.spec);
    await sent;
    assertEquals(heard.messages, ["kept"]);
  },
);

scenario(
  "Messages to a receiver that has restarted and registers its handler later are handled, not only acknowledged",
  async (world) => {
    const [a, b] = await world.cluster(["a", "b"]);
    const { spec } = b;
    await b.stop();
    const again = await world.start("b", { listen: spec.addresses[0] });
    await again.syncJoin(a.spec);
    const numbers = Array.from({ length: 10 }, (_, number) => number);
    const sent = Promise.all(numbers.map((number) => a.forwardMessage("b", "late", number, ACK)));
    await new Promise<void>((resolve) => world.clock.schedule(500, resolve));
    assert(!await isSettled(sent));
    const heard = world.inbox(again, "late");
    await sent;
    assertEquals(heard.messages.toSorted(), numbers);
  },
);

scenario("A message whose handler outlives its connections is handled once, and acknowledged", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  let calls = 0;
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  b.register("work", async () => {
    calls++;
    begun.resolve();
    await ended.promise;
  });
  const sent = a.forwardMessage("b", "work", 1, { ...ACK, retransmission: { initial: 20, cap: 20 } });
  await begun.promise;
  world.breakConnections("b");
  await world.settled([a, b]);
  ended.resolve();
  await sent;
  assertEquals(calls, 1);
});

scenario("A call that was given up is not carried out by a later incarnation", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const { spec } = b;
  b.addInterpositionFun("drop", ({ type, message }) => type === "receive_message" ? undefined : message);
  const given = assertRejects(() => a.call("b", "work", 1, { retransmission: { initial: 20 } }), NotConnectedError);
  await b.stop();
  await given;
  const again = await world.start("b", { listen: spec.addresses[0] });
  const heard = world.inbox(again, "work");
  await again.syncJoin(a.spec);
  await a.forwardMessage("b", "work", "after", ACK);
  assertEquals(heard.messages, ["after"]);
});

alike("A message arrives as a copy, and what has no form is refused", async (from, to) => {
  const heard: unknown[] = [];
  to.register("log", (message) => void heard.push(message));
  const message = { at: new Date(5), left: undefined, list: [1] };
  const sent = from.forwardMessage(to.name, "log", message, ACK);
  message.list.push(2);
  await sent;
  assertEquals(heard, [{ at: new Date(5), list: [1] }]);
  for (const options of [ACK, {}]) {
    await assertRejects(
      () => from.forwardMessage(to.name, "log", { map: new Map() }, options),
      EncodeError,
      'Cannot encode "map": Map objects',
    );
  }
});

scenario("Calls that were given up take no room from later ones, however many", async (world) => {
  const a = await world.start("a");
  let b = await world.start("b");
  const { addresses: [listen] } = b.spec;
  const rejected: string[] = [];
  for (let round = 0; round < 5; round++) {
    if (round > 0) b = await world.start("b", { listen });
    await b.syncJoin(a.spec);
    // More than a window holds, all rounds together.
    const calls = Array.from({ length: 7_000 }, () => a.call("b", "never", 1).catch(({ name }) => rejected.push(name)));
    b.register("never", () => new Promise(() => {}));
    await a.forwardMessage("b", "nobody", 1);
    await b.stop();
    await Promise.all(calls);
  }
  assertEquals(rejected.length, 35_000);
  b = await world.start("b", { listen });
  const heard = world.inbox(b, "never");
  b.register("add", (n: number) => n + 1);
  await b.syncJoin(a.spec);
  assertEquals(await a.call("b", "add", 1), 2);
  assertEquals(heard.messages, []);
}, ["memory"]);
