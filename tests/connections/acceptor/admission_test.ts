// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { NodeSpec } from "../../../wire/node_spec.ts";
import { judgeRequest } from "../../../connections/acceptor/admission.ts";
import type { Connection } from "../../../connections/connection.ts";
import type { ConnectionRequest } from "../../../connections/handshake/introduction.ts";
import { Peer } from "../../../connections/peer.ts";
import { nodeSpec } from "../../node_spec.ts";
import { firstOf, nthOf } from "../../values.ts";
import { pattern } from "../fake_stream.ts";

const PLAIN = { parallelism: 1, monotonic: false, compression: false };

/** A request of `dialer` to be judged by `acceptor`, and all that matters for the decision. */
interface Scene {
  readonly dialer?: NodeSpec;
  readonly acceptor?: NodeSpec;
  readonly request?: Partial<ConnectionRequest>;
  /** Specification of the dialer that the acceptor knows; `null` for nothing. */
  readonly known?: NodeSpec | null;
  /** A connection that the acceptor has. */
  readonly present?: { readonly outbound: boolean; readonly dial: number; readonly channel?: string };
  readonly peer?: Partial<Peer>;
  readonly dialing?: boolean;
  readonly fits?: boolean;
  readonly isGranted?: boolean;
  readonly wallTime?: number;
}

function judge(scene: Scene): string | null {
  const { dialer = nodeSpec("b", 5), acceptor = nodeSpec("a", 5), dialing = false } = scene;
  const { known = dialer, present, fits = false, isGranted = false } = scene;
  const peer = known === null ? undefined : Object.assign(new Peer(known, acceptor), scene.peer);
  if (present !== undefined) {
    peer?.fill({ channel: "membership", index: 0, early: null, ...present } as Connection<Peer>);
  }
  const request: ConnectionRequest = {
    spec: dialer,
    to: acceptor.name,
    toIncarnation: acceptor.incarnation,
    channel: "membership",
    index: 0,
    dial: 10,
    seen: 0,
    ...scene.request,
  };
  const decision = judgeRequest(request, {
    self: acceptor,
    peer,
    dialing,
    fits,
    wallTime: scene.wallTime ?? 1_000,
    isGranted,
  });
  return decision === null || decision === "probe" ? decision : decision.code;
}

/** A name that sorts before the acceptor's "b", and one behind it. */
const NEIGHBOURS = [nodeSpec("a", 5), nodeSpec("c", 5)];
const B = nodeSpec("b", 5);

Deno.test("admission: a dialer that no node knows, and one that is known and has nothing open, are let in", () => {
  for (const dialer of NEIGHBOURS) {
    assertEquals(judge({ acceptor: B, dialer, known: null }), null);
    assertEquals(judge({ acceptor: B, dialer }), null);
  }
});

Deno.test("admission: of two nodes that dial each other at once, exactly the dial of the one that sorts first is let in", () => {
  assertEquals(judge({ dialer: firstOf(NEIGHBOURS), acceptor: B, dialing: true }), null);
  assertEquals(judge({ dialer: B, acceptor: firstOf(NEIGHBOURS), dialing: true }), "duplicate");
});

Deno.test("admission: a dialer that was let in stays in though we dial it by now, unless both have to take the same socket", () => {
  const granted = { dialer: B, acceptor: firstOf(NEIGHBOURS), dialing: true, isGranted: true };
  assertEquals(judge(granted), null);
  assertEquals(judge({ ...granted, present: { outbound: true, dial: 4 }, request: { seen: 3 } }), "duplicate");
  assertEquals(judge({ ...granted, fits: true, request: { early: [1, 1] } }), "duplicate");
});

Deno.test("admission: a dial that was under way when ours succeeded is refused, whichever node sorts first: ours may be in use", () => {
  const present = { outbound: true, dial: 4 };
  for (const dialer of NEIGHBOURS) {
    assertEquals(judge({ acceptor: B, dialer, present, request: { seen: 3 } }), "duplicate");
  }
});

Deno.test("admission: names decide about a dialer that knows an address only, and cannot tell what it has seen", () => {
  const present = { outbound: true, dial: 4 };
  for (const [dialer, decision] of [[firstOf(NEIGHBOURS), null], [nthOf(NEIGHBOURS, 1), "duplicate"]] as const) {
    assertEquals(judge({ acceptor: B, dialer, present, request: { to: null, seen: 0 } }), decision);
  }
});

Deno.test("admission: a dialer that saw our connection succeed and dials all the same has lost it", () => {
  const present = { outbound: true, dial: 4 };
  for (const dialer of NEIGHBOURS) {
    for (const dialing of [false, true]) {
      assertEquals(judge({ acceptor: B, dialer, dialing, present, request: { seen: 4 } }), null);
    }
  }
});

Deno.test("admission: what a dialer has seen of a former incarnation says nothing about the connections of this one", () => {
  const present = { outbound: true, dial: 4 };
  for (const dialer of NEIGHBOURS) {
    assertEquals(judge({ acceptor: B, dialer, present, request: { seen: 4, toIncarnation: 4 } }), "duplicate");
  }
});

Deno.test("admission: a dialer that dials again what it dialed itself has lost it", () => {
  for (const dialer of NEIGHBOURS) {
    for (const dialing of [false, true]) {
      assertEquals(judge({ acceptor: B, dialer, dialing, present: { outbound: false, dial: 9 } }), null);
    }
  }
});

Deno.test("admission: a dial that a later one of the same slot has overtaken comes too late", () => {
  const present = { outbound: false, dial: 10 };
  assertEquals(judge({ present, request: { dial: 9 } }), "duplicate");
  assertEquals(judge({ present, request: { dial: 10 } }), "duplicate");
  assertEquals(judge({ present, request: { dial: 11 } }), null);
  assertEquals(judge({ present: { ...present, channel: "default" }, request: { dial: 9 } }), null);
  assertEquals(judge({ present, request: { dial: 9, channel: "default" } }), null);
});

Deno.test("admission: a node that dials while our connection with it is doubtful is let in", () => {
  const present = { outbound: true, dial: 4 };
  for (const dialer of NEIGHBOURS) {
    assertEquals(judge({ acceptor: B, dialer, present, dialing: true, peer: { doubtful: true } }), null);
  }
});

Deno.test("admission: an incarnation that is older than the known one is told which one is known", () => {
  assertEquals(judge({ dialer: nodeSpec("b", 4), known: nodeSpec("b", 5) }), "stale-incarnation");
  const peer = new Peer(nodeSpec("b", 5), nodeSpec("a"));
  const request = { spec: nodeSpec("b", 4), to: "a", toIncarnation: 0, channel: "default", index: 0, dial: 1, seen: 0 };
  assertEquals(judgeRequest(request, { self: nodeSpec("a"), peer, dialing: false, fits: false, wallTime: 0 }), {
    code: "stale-incarnation",
    reason: 'Cannot accept "b": incarnation 4 is older than the known 5',
    known: 5,
  });
});

Deno.test("admission: a newer incarnation is let in when its predecessor has no membership connection, or is held for dead", () => {
  const dialer = nodeSpec("b", 6), known = nodeSpec("b", 5);
  const present = { outbound: false, dial: 90 };
  assertEquals(judge({ dialer, known }), null);
  assertEquals(judge({ dialer, known, present: { ...present, channel: "default" } }), null);
  assertEquals(judge({ dialer, known, present, peer: { silent: true } }), null);
  assertEquals(judge({ dialer, known, present }), "probe");
});

Deno.test("admission: a dialer that knows this node as a newer incarnation has to wait until it is one", () => {
  for (const known of [null, nodeSpec("b", 5)]) {
    assertEquals(judge({ known, request: { toIncarnation: 6 } }), "stopping");
    assertEquals(judge({ known, request: { toIncarnation: 5 } }), null);
    assertEquals(judge({ known, request: { toIncarnation: 0 } }), null);
  }
});

Deno.test("admission: no node gets in under this node's own name, and the node itself is told so", () => {
  const acceptor = nodeSpec("b", 5);
  assertEquals(judge({ acceptor, dialer: nodeSpec("b", 5), known: null }), "self");
  assertEquals(judge({ acceptor, dialer: nodeSpec("b", 4), known: null }), "name-in-use");
  assertEquals(judge({ acceptor, dialer: nodeSpec("b", 6), known: null }), "name-in-use");
});

Deno.test("admission: a channel has as many slots as both sides agree on", () => {
  const bulk = (parallelism: number) => ({ default: PLAIN, membership: PLAIN, bulk: { ...PLAIN, parallelism } });
  const cases: [Record<string, typeof PLAIN> | undefined, Record<string, typeof PLAIN> | undefined, number][] = [
    [undefined, undefined, 0],
    [bulk(3), undefined, 3],
    [undefined, bulk(3), 3],
    [bulk(2), bulk(4), 2],
    [bulk(4), bulk(2), 2],
  ];
  for (const [ours, theirs, slots] of cases) {
    const acceptor = nodeSpec("a", 5, ours === undefined ? {} : { channels: ours });
    const dialer = nodeSpec("b", 5, theirs === undefined ? {} : { channels: theirs });
    for (const known of [null, dialer]) {
      const at = (index: number) => judge({ acceptor, dialer, known, request: { channel: "bulk", index } });
      assertEquals(at(slots), "channel");
      if (slots > 0) assertEquals(at(slots - 1), null);
    }
  }
});

Deno.test("admission: no channel goes by the name of something that every object has", () => {
  for (const channel of ["constructor", "__proto__", "toString"]) {
    assertEquals(judge({ request: { channel } }), "channel");
  }
});

Deno.test("admission: no node gets in through an injected partition, not even a newer incarnation", () => {
  assertEquals(judge({ peer: { partitioned: true } }), "partitioned");
  assertEquals(
    judge({ dialer: nodeSpec("b", 6), known: nodeSpec("b", 5), peer: { partitioned: true } }),
    "partitioned",
  );
});

Deno.test("admission: a name at one incarnation belongs to the key that had it first", () => {
  const key = (seed: number) => ({ key: pattern(32, seed) });
  const known = nodeSpec("b", 5, key(1));
  assertEquals(judge({ known, dialer: known }), null);
  for (const dialer of [nodeSpec("b", 5, key(2)), nodeSpec("b", 5)]) {
    for (const dial of [1, 10, 1_000_000]) {
      assertEquals(judge({ known, dialer, request: { dial } }), "name-in-use");
      assertEquals(judge({ known, dialer, request: { dial }, present: { outbound: true, dial: 1 } }), "name-in-use");
    }
  }
  // A key that was not known is learnt; a newer incarnation may have another one, once the former is out of reach.
  assertEquals(judge({ known: nodeSpec("b", 5), dialer: known }), null);
  const successor = nodeSpec("b", 6, key(2));
  assertEquals(judge({ known, dialer: successor }), null);
  assertEquals(judge({ known, dialer: successor, present: { outbound: true, dial: 1 } }), "probe");
});

Deno.test("admission: a dial number or an incarnation that cannot be is refused, and never remembered", () => {
  const wallTime = 10_000_000;
  const day = 86_400_000;
  const acceptor = nodeSpec("a", 5);
  const cases: [Partial<ConnectionRequest>, string | null][] = [
    [{ dial: 2 ** 20 + wallTime - 5 }, null],
    [{ dial: 2 ** 20 + wallTime - 4 }, "protocol"],
    [{ dial: Number.MAX_SAFE_INTEGER }, "protocol"],
    [{ toIncarnation: wallTime + day }, "stopping"],
    [{ toIncarnation: wallTime + day + 1 }, "protocol"],
    [{ toIncarnation: Number.MAX_SAFE_INTEGER }, "protocol"],
  ];
  for (const [request, decision] of cases) {
    assertEquals(judge({ acceptor, request, wallTime }), decision, JSON.stringify(request));
    assertEquals(judge({ acceptor, request, wallTime, known: null }), decision, JSON.stringify(request));
  }
  // Its clock is ahead of this one.
  assertEquals(judge({ dialer: nodeSpec("b", wallTime + day), request: { dial: 2 ** 20 }, wallTime }), null);
  // An incarnation that this node has reached, whatever the time is, is no news.
  assertEquals(judge({ acceptor: nodeSpec("a", 2 ** 50), request: { toIncarnation: 2 ** 50 }, wallTime }), null);
});
