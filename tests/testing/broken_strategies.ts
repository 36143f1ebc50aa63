// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert } from "@std/assert";
import { compareMembers, fullMesh, type Strategy, type StrategyContext, type Transition } from "../../strategy/mod.ts";

/** A full mesh's state with some more in it. */
export interface Boxed {
  readonly inner: unknown;
  readonly map: ReadonlyMap<string, number>;
  readonly list: readonly number[];
}

type Functions = Omit<Strategy<Boxed>, "name"> & Required<Pick<Strategy<Boxed>, "compare" | "prune">>;

/** A full mesh, some of whose functions were replaced: `changes` is given the right ones. */
function mesh(changes: (right: Functions) => Partial<Functions>): () => Strategy<Boxed> {
  return () => {
    const mesh: Strategy = fullMesh();
    const box = (state: Boxed, { state: inner, outgoing }: Transition<unknown>): Transition<Boxed> => ({
      state: { ...state, inner },
      outgoing,
    });
    const right: Functions = {
      init: (self, context, snapshot) =>
        box({ inner: undefined, map: new Map(), list: [] }, mesh.init(self, context, snapshot)),
      join: (state, peer, context) => box(state, mesh.join(state.inner, peer, context)),
      leave: (state, node, context) => box(state, mesh.leave(state.inner, node, context)),
      up: (state, peer, context) => box(state, mesh.up(state.inner, peer, context)),
      down: (state, peer, context) => box(state, mesh.down(state.inner, peer, context)),
      periodic: (state, context) => box(state, mesh.periodic(state.inner, context)),
      handleMessage: (state, from, message, context) =>
        box(state, mesh.handleMessage(state.inner, from, message, context)),
      compare: (state, wanted) => compareMembers(mesh.members(state.inner), wanted),
      prune(state, nodes, context) {
        assert(mesh.prune !== undefined);
        return box(state, mesh.prune(state.inner, nodes, context));
      },
      members: (state) => mesh.members(state.inner),
      peers: (state) => mesh.peers(state.inner),
      snapshot: (state) => mesh.snapshot(state.inner),
    };
    return { name: "broken", ...right, ...changes(right) };
  };
}

function nothing(state: Boxed): Transition<Boxed> {
  return { state, outgoing: [] };
}

function beforeEachRound(act: (state: Boxed, context: StrategyContext) => void): () => Strategy<Boxed> {
  return mesh(({ periodic }) => ({
    periodic(state, context) {
      act(state, context);
      return periodic(state, context);
    },
  }));
}

/** A strategy that does something wrong, and the complaint that has to come. */
export interface BrokenStrategy {
  readonly what: string;
  readonly create: () => Strategy<Boxed>;
  /** Beginnings of the names of checks that it fails, among others. */
  readonly fails: readonly string[];
  /** A part of one of the messages. */
  readonly complaint: string;
}

/** Number of rounds in all runs together, which a strategy must not know. */
const clock = { rounds: 0 };
/** Its multiples spread over all fractions, and never in the same order again. */
const GOLDEN_RATIO = 0.618034;

/** One for each way to be wrong that comes to mind. Together they fail every check. */
export const BROKEN_STRATEGIES: readonly BrokenStrategy[] = [
  {
    what: "changes a list in its state",
    create: beforeEachRound((state) => (state.list as number[]).push(1)),
    fails: ["is pure", "makes one cluster of nodes that join one after another"],
    complaint: "not extensible",
  },
  {
    what: "changes a map in its state",
    create: beforeEachRound((state, { now }) => (state.map as Map<string, number>).set("now", now)),
    fails: ["is pure"],
    complaint: "periodic() changes the state that it is given",
  },
  {
    what: "takes chance from elsewhere",
    create: mesh(({ periodic }) => ({
      periodic: (state, context) => periodic({ ...state, list: [Math.random()] }, { ...context, random: Math.random }),
    })),
    fails: ["is pure"],
    complaint: "periodic() answers differently when it is called twice",
  },
  {
    what: "remembers something outside of its state",
    create: mesh(({ peers, init }) => {
      let calls = 0;
      return {
        init(self, context, snapshot) {
          calls = 0;
          return init(self, context, snapshot);
        },
        peers: (state) => peers(state).slice(0, calls++ % 7),
      };
    }),
    fails: ["is pure"],
    complaint: "answers differently",
  },
  {
    what: "sends what MessagePack cannot carry",
    create: mesh(({ join }) => ({
      join: (state, peer, context) => ({
        state,
        outgoing: join(state, peer, context).outgoing.map(({ to }) => ({ to, message: () => {} })),
      }),
    })),
    fails: ["makes one cluster"],
    complaint: "encode",
  },
  {
    what: "wants a connection with itself",
    create: mesh(({ members }) => ({ peers: members })),
    fails: ["begins as a cluster of one"],
    complaint: "which is the node itself",
  },
  {
    what: "wants a peer that is not a member",
    create: mesh(({ peers }) => ({ members: (state) => peers(state).slice(1) })),
    fails: ["makes one cluster"],
    complaint: "which is not in members()",
  },
  {
    what: "has members twice",
    create: mesh(({ members }) => ({ members: (state) => [...members(state), ...members(state)] })),
    fails: ["begins as a cluster of one"],
    complaint: "twice",
  },
  {
    what: "greets itself",
    create: mesh(({ join, members }) => ({
      join: (state, peer, context) =>
        members(state).some(({ name }) => name === peer.name)
          ? { state, outgoing: [{ to: peer, message: "hello" }] }
          : join(state, peer, context),
    })),
    fails: ["does nothing when a node joins itself"],
    complaint: "sends a message",
  },
  {
    what: "wants connections with half of the others",
    create: mesh(({ members, peers }) => ({
      peers: (state) => peers(state).filter(({ name }) => members(state).every((node) => node.name <= name)),
    })),
    fails: ["makes one cluster", "keeps the others together"],
    complaint: "do not have them among theirs",
  },
  {
    what: "never joins",
    create: mesh(() => ({ join: nothing })),
    fails: [
      ...[
        "makes one cluster",
        "takes joins that are repeated",
        "lets a node leave right after",
        "takes a crashed node",
      ],
      ...["heals", "is one cluster again"],
    ],
    complaint: "not connected",
  },
  {
    what: "never forgets a leaver",
    create: mesh(() => ({ leave: nothing })),
    fails: [
      ...["forgets a node that leaves", "forgets a node that another one removes", "lets a node leave right after"],
      ...["takes a node that left back", "forgets a crashed node", "hears of those that left"],
    ],
    complaint: "does not know that it was removed",
  },
  {
    what: "tells no node that another one left",
    create: mesh(({ leave }) => ({
      leave: (state, node, context) => ({ state: leave(state, node, context).state, outgoing: [] }),
      up: nothing,
      periodic: nothing,
    })),
    fails: ["forgets a node that leaves", "forgets a node that another one removes", "forgets a crashed node"],
    complaint: "still has",
  },
  {
    what: "forgets who crashes",
    create: mesh(({ prune }) => ({ down: (state, peer, context) => prune(state, [peer], context) })),
    fails: ["heals", "keeps the others together"],
    complaint: "misses",
  },
  {
    what: "remembers nothing",
    create: mesh(({ init }) => ({ init: (self, context) => init(self, context) })),
    fails: ["goes on with its own snapshot", "refuses a snapshot", "finds together again"],
    complaint: "takes null for a snapshot",
  },
  {
    what: "ignores malformed messages",
    create: mesh(({ handleMessage }) => ({
      handleMessage(state, from, message, context) {
        try {
          return handleMessage(state, from, message, context);
        } catch {
          return { state, outgoing: [] };
        }
      },
    })),
    fails: ["refuses malformed messages"],
    complaint: "for a message",
  },
  {
    what: "chokes on malformed messages",
    create: mesh(({ handleMessage }) => ({
      handleMessage(state, from, message, context) {
        try {
          return handleMessage(state, from, message, context);
        } catch {
          throw new RangeError("Too bad");
        }
      },
    })),
    fails: ["refuses malformed messages"],
    complaint: "expected a TypeError",
  },
  {
    what: "compares the wrong way round",
    create: mesh(({ compare }) => ({
      compare(state, wanted) {
        const { joiners, leavers } = compare(state, wanted);
        return { joiners: leavers, leavers: joiners };
      },
    })),
    fails: ["compares memberships"],
    complaint: "joiners is",
  },
  {
    what: "tells every node that it prunes",
    create: mesh(({ leave }) => ({
      prune: (state, nodes, context) =>
        nodes.reduce(({ state }, node) => leave(state, node, context), { state, outgoing: [] } as Transition<Boxed>),
    })),
    fails: ["prunes nodes without a word"],
    complaint: "prune() sends",
  },
  {
    what: "forgets everyone for a place that it is to keep",
    create: mesh(({ peers, prune }) => ({
      reserve: (state) => prune(state, peers(state), { now: 0, random: () => 0, connected: new Set() }).state,
    })),
    fails: ["keeps a slot for a tag"],
    complaint: "after reserve(), expected",
  },
  {
    what: "never hears the news",
    create: mesh(() => ({ up: nothing, periodic: nothing })),
    fails: ["hears of those that left while the cluster was cut in two", "takes a crashed node back"],
    complaint: "which is in its incarnation 2",
  },
  {
    what: "depends on when the test is run",
    create: mesh(({ periodic }) => ({
      periodic: (state, context) => {
        const { outgoing } = periodic(state, context);
        const isHeard = (++clock.rounds * GOLDEN_RATIO) % 1 < 0.5;
        return { state, outgoing: isHeard ? outgoing : [] };
      },
    })),
    fails: ["is deterministic"],
    complaint: "two runs with the same seed differ",
  },
];
