// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { ChannelSpec, NodeSpec } from "../../wire/node_spec.ts";
import type { Connection } from "../../connections/connection.ts";
import { NO_FEATURES } from "../../connections/handshake/introduction.ts";
import { Peer } from "../../connections/peer.ts";
import { announceStatus } from "../../connections/peer_status.ts";
import { nodeSpec } from "../node_spec.ts";
import { seededRandom } from "../seeded_random.ts";
import { forEachOf, type OneForEach } from "../tuples.ts";

const PLAIN: ChannelSpec = { parallelism: 1, monotonic: false, compression: false };

/** A node with these channels besides the two that every node has. */
function specWith(channels: Record<string, number>, name = "b", incarnation = 1): NodeSpec {
  const entries = Object.entries({ default: 1, membership: 1, ...channels });
  const specs = Object.fromEntries(entries.map(([id, parallelism]) => [id, { ...PLAIN, parallelism }]));
  return nodeSpec(name, incarnation, { channels: specs });
}

function connection(channel = "membership", index = 0, dial = 1, outbound = false): Connection<Peer> {
  return { channel, index, dial, outbound, early: null, features: NO_FEATURES } as Partial<
    Connection<Peer>
  > as Connection<Peer>;
}

function open<const Slots extends readonly [channel: string, index: number][]>(
  peer: Peer,
  ...slots: Slots
): OneForEach<Slots, Connection<Peer>> {
  return forEachOf(slots, ([channel, index]) => {
    const opened = connection(channel, index);
    peer.fill(opened);
    return opened;
  });
}

Deno.test("Peer has, for each channel that either side has, as many slots as both agree on", () => {
  const peer = new Peer(specWith({ bulk: 2, theirs: 3 }), specWith({ bulk: 4, ours: 2, theirs: 1 }, "a"));
  assertEquals(peer.channels.toSorted(), ["bulk", "default", "membership", "ours", "theirs"]);
  const slots = (channel: string) => [0, 1, 2, 3, 4].filter((index) => peer.hasSlot(channel, index)).length;
  assertEquals(["bulk", "ours", "theirs", "default", "unknown"].map(slots), [2, 2, 1, 1, 0]);
  assertEquals(peer.gaps().length, 2 + 2 + 1 + 1 + 1);
});

Deno.test("Peer.fill() fills a slot and gives back what it replaces; remove() takes out only what is there", () => {
  const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
  const [first, second] = [connection(), connection()];
  assertEquals(peer.fill(first), null);
  assertStrictEquals(peer.fill(second), first);
  assertEquals(peer.remove(first), false);
  assertStrictEquals(peer.membership, second);
  assertEquals(peer.remove(second), true);
  assertEquals(peer.remove(second), false);
  assertEquals([peer.membership, peer.connected], [null, false]);
  assertEquals(peer.remove(connection("unknown")), false);
});

Deno.test("Peer remembers the dials of the other side that succeeded, and not its own", () => {
  const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
  peer.fill(connection("default", 0, 7, false));
  peer.fill(connection("membership", 0, 8, true));
  assertEquals([...peer.seenDials], [["default 0", 7]]);
});

Deno.test("Peer.fitTo() keeps the connections that still have a slot, and gives back the others", () => {
  const self = nodeSpec("a");
  const peer = new Peer(specWith({ bulk: 3, old: 1 }), self);
  const [kept, , last, old] = open(peer, ["bulk", 0], ["bulk", 1], ["bulk", 2], ["old", 0]);
  assertEquals(peer.fitTo(specWith({ bulk: 2, fresh: 1 }), self), [last, old]);
  assertStrictEquals(peer.at("bulk", 0), kept);
  assertEquals(peer.openOn("bulk"), 2);
  assertEquals(peer.hasSlot("old", 0), false);
  assertEquals(peer.hasSlot("fresh", 0), true);
});

Deno.test("Peer.fitTo() gives back all connections of an earlier incarnation, and forgets its dials", () => {
  const self = nodeSpec("a");
  const peer = new Peer(nodeSpec("b", 1), self);
  const opened = open(peer, ["default", 0], ["membership", 0]);
  assertEquals(peer.fitTo(nodeSpec("b", 2), self), opened);
  assertEquals([peer.incarnation, peer.connections().length, peer.seenDials.size], [2, 0, 0]);
});

Deno.test("Peer.pick() takes the same connection for a partition key each time, and spreads the keys", () => {
  const peer = new Peer(specWith({ bulk: 4 }), nodeSpec("a"));
  open(peer, ["bulk", 0], ["bulk", 1], ["bulk", 2], ["bulk", 3]);
  for (
    const keys of [
      Array.from({ length: 200 }, (_, key) => key),
      Array.from({ length: 200 }, (_, key) => `user-${key}`),
    ]
  ) {
    const picked = keys.map((key) => peer.pick("bulk", key));
    assertEquals(keys.map((key) => peer.pick("bulk", key)), picked);
    for (let index = 0; index < 4; index++) {
      assert(picked.filter((one) => one?.index === index).length >= 30);
    }
  }
});

Deno.test("Peer.pick() takes any key", () => {
  const peer = new Peer(specWith({ bulk: 3 }), nodeSpec("a"));
  open(peer, ["bulk", 0], ["bulk", 1], ["bulk", 2]);
  for (const key of [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53, Number.MAX_SAFE_INTEGER, "", "\u{1F600}"]) {
    const picked = peer.pick("bulk", key);
    assert(picked, `${key}`);
    assertStrictEquals(peer.pick("bulk", key), picked);
  }
});

Deno.test("Peer.pick() has the connections take turns where there is no key", () => {
  const peer = new Peer(specWith({ bulk: 3 }), nodeSpec("a"));
  open(peer, ["bulk", 0], ["bulk", 1], ["bulk", 2]);
  assertEquals(Array.from({ length: 6 }, () => peer.pick("bulk", undefined)?.index), [0, 1, 2, 0, 1, 2]);
});

Deno.test("Peer.pick() passes over connections that are not open, and falls back to the default channel", () => {
  const peer = new Peer(specWith({ bulk: 3 }), nodeSpec("a"));
  assertEquals(peer.pick("bulk", 1), null);
  open(peer, ["default", 0]);
  assertEquals(peer.pick("bulk", 1)?.channel, "default");
  assertEquals(peer.pick("unknown", 1)?.channel, "default");
  open(peer, ["bulk", 2]);
  for (const key of [0, 1, 2, "x", undefined]) assertEquals(peer.pick("bulk", key)?.index, 2);
});

Deno.test("Peer.pick() takes the next connection while that of a key is not open, and that one as soon as it is", () => {
  const peer = new Peer(specWith({ bulk: 3 }), nodeSpec("a"));
  const [own, next] = open(peer, ["bulk", 0], ["bulk", 1]);
  assertStrictEquals(peer.pick("bulk", 0), own);
  peer.remove(own);
  assertStrictEquals(peer.pick("bulk", 0), next);
  const [again] = open(peer, ["bulk", 0]);
  assertStrictEquals(peer.pick("bulk", 0), again);
});

Deno.test("Peer.keyed() takes the connection that pick() takes, and none where that is not open, or does not take messages as it is", () => {
  const arrangements: Record<string, (peer: Peer, own: Connection<Peer>) => void> = {
    "the slot is empty": (peer, own) => peer.remove(own),
    "it is mute": (_, own) => own.mute = true,
    "it drains": (_, own) => void Object.assign(own, { draining: true }),
    "a partition is in between": (peer) => peer.partitioned = true,
    "the peer is silent": (peer) => peer.silent = true,
    "the peer is severed": (peer) => peer.severed = true,
  };
  for (const [name, arrange] of Object.entries(arrangements)) {
    for (const channels of [{ bulk: 3 }, { bulk: 1 }]) {
      const peer = new Peer(specWith(channels), nodeSpec("a"));
      const [own] = open(peer, ["bulk", 0]);
      for (let index = 1; index < channels.bulk; index++) open(peer, ["bulk", index]);
      for (const key of [0, 1, 2, 3, -1, 0.5, "x", "user-7"]) {
        assertStrictEquals(peer.keyed("bulk", key), peer.pick("bulk", key));
      }
      assertEquals(peer.keyed("default", 1), null);
      assertEquals(peer.keyed("unknown", 1), null);
      arrange(peer, own);
      assertEquals(peer.keyed("bulk", 0), null, name);
    }
  }
});

Deno.test("Peer.listen() notes whether a frame came since it was last asked", () => {
  const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
  assertEquals(peer.listen(5), false);
  peer.framesIn += 3;
  assertEquals(peer.listen(7), true);
  assertEquals(peer.heardAt, 7);
  assertEquals(peer.listen(9), false);
  assertEquals(peer.heardAt, 7);
});

/** Events that are told about a peer when its status is looked at. */
function told(peer: Peer, expected = false): string[] {
  const events: string[] = [];
  announceStatus(
    peer,
    {
      linked: () => events.push("linked"),
      unlinked: () => events.push("unlinked"),
      up: () => events.push("up"),
      down: () => events.push("down"),
      channelUp: (_, channel) => events.push(`+${channel}`),
      channelDown: (_, channel) => events.push(`-${channel}`),
    },
    42,
    expected,
  );
  return events;
}

Deno.test("announceStatus() tells of a peer that comes, and goes with its last connection", () => {
  const peer = new Peer(specWith({ bulk: 2 }), nodeSpec("a"));
  assertEquals(told(peer), []);
  const [membership] = open(peer, ["membership", 0]);
  assertEquals(told(peer), ["linked", "+membership"]);
  assertEquals(peer.heardAt, 42);
  const [first] = open(peer, ["bulk", 0]);
  assertEquals(told(peer), []);
  const [ordinary, second] = open(peer, ["default", 0], ["bulk", 1]);
  assertEquals(told(peer), ["up", "+default", "+bulk"]);
  assert(peer.fullyConnected);
  peer.remove(first);
  assertEquals(told(peer), []);
  peer.remove(second);
  assertEquals(told(peer), ["-bulk"]);
  peer.remove(membership);
  assertEquals(told(peer), ["-membership"]);
  peer.remove(ordinary);
  assertEquals(told(peer), ["-default", "down", "unlinked"]);
  assertEquals(told(peer), []);
});

Deno.test("announceStatus() takes a silent peer for gone although its connections are open, and for back when it is heard", () => {
  const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
  open(peer, ["membership", 0], ["default", 0]);
  told(peer);
  peer.silent = true;
  assertEquals(told(peer), ["-default", "-membership", "down", "unlinked"]);
  assertEquals(told(peer), []);
  assertEquals(peer.fullyConnected, false);
  peer.silent = false;
  assertEquals(told(peer), ["linked", "up", "+default", "+membership"]);
});

Deno.test("announceStatus() does not take a peer for gone while another connection is about to open", () => {
  const peer = new Peer(nodeSpec("b"), nodeSpec("a"));
  const opened = open(peer, ["membership", 0], ["default", 0]);
  told(peer);
  for (const connection of opened) peer.remove(connection);
  assertEquals(told(peer, true), ["-default", "-membership"]);
  assertEquals(told(peer, false), ["down", "unlinked"]);
});

Deno.test("announceStatus() tells that a channel is down which a new incarnation of the peer does not have", () => {
  const self = nodeSpec("a");
  const peer = new Peer(specWith({ bulk: 1 }), self);
  open(peer, ["bulk", 0]);
  assertEquals(told(peer), ["+bulk"]);
  peer.fitTo(nodeSpec("b", 2), self);
  assertEquals(told(peer), ["-bulk"]);
});

Deno.test("announceStatus() never tells the same twice in a row, whatever happens", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const self = nodeSpec("a");
    const peer = new Peer(specWith({ bulk: 2 }), self);
    const last = new Map<string, string>();
    for (let step = 0; step < 100; step++) {
      const gap = random.pick(peer.gaps().concat(null as never));
      const connection = random.pick([...peer.connections(), null]);
      if (random.chance(0.4) && gap !== null) open(peer, [gap.channel, gap.index]);
      else if (random.chance(0.5) && connection !== null) peer.remove(connection);
      else if (random.chance(0.3)) peer.silent = !peer.silent;
      else if (random.chance(0.1)) peer.fitTo(specWith({ bulk: random.int(3) + 1 }, "b", step + 2), self);
      for (const event of told(peer, random.chance(0.1))) {
        const subject = event.replace(/^[+-]/, "").replace("un", "");
        const topic = ["up", "down"].includes(subject) ? "node" : subject;
        assert(last.get(topic) !== event, `seed ${seed}, step ${step}: ${event} twice in a row`);
        if (!last.has(topic)) assert(!/^-|un|down/.test(event), `seed ${seed}, step ${step}: ${event} first`);
        last.set(topic, event);
      }
    }
  }
});

Deno.test("Peer.connections() is the same list until a connection opens or closes, and a list that was given stays as it is", () => {
  const peer = new Peer(specWith({ bulk: 2 }), specWith({ bulk: 2 }, "a"));
  const none = peer.connections();
  assertStrictEquals(peer.connections(), none);
  const [first, second] = open(peer, ["membership", 0], ["bulk", 1]);
  const both = peer.connections();
  assertEquals(new Set(both), new Set([first, second]));
  assertStrictEquals(peer.connections(), both);
  peer.remove(first);
  assertEquals(peer.connections(), [second]);
  peer.fitTo(specWith({}, "b", 2), specWith({}, "a"));
  assertEquals([peer.connections(), peer.hasConnections], [[], false]);
  assertEquals([none.length, both.length], [0, 2]);
});
