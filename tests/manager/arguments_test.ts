// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { PeerService } from "../../manager/peer_service.ts";
import { scenario } from "./worlds.ts";

/** A call that is refused: its arguments, the kind of error, and what the error says. */
type Refused = readonly [args: readonly unknown[], kind: ErrorConstructor, says: string];

/** A node as a program without types sees it. */
type Untyped = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

const LONG_NAME = "x".repeat(256);
const SPEC = { name: "c", incarnation: 1, addresses: [], channels: {}, metadata: {} };
const nothing = () => {};

/** Options that the functions share which send something. */
function sending(action: string, ...args: readonly unknown[]): Refused[] {
  const options: readonly (readonly [options: unknown, says: string])[] = [
    [5, "the options are 5, expected an object"],
    ["bulk", 'the options are "bulk", expected an object'],
    [[], "the options are an array, expected an object"],
    [{ acknowledge: true }, 'there is no option "acknowledge", only "channel", "fallback"'],
    [{ toString: 1 }, 'there is no option "toString"'],
    [{ channel: 5 }, '"channel" is 5, expected a string'],
    [{ channel: null }, '"channel" is null, expected a string'],
    [{ fallback: "no" }, '"fallback" is "no", expected a boolean'],
    [{ partitionKey: {} }, '"partitionKey" is an object, expected a string or a number'],
    [{ transitive: 1 }, '"transitive" is 1, expected a boolean'],
    [{ outLinks: "b" }, '"outLinks" is "b", expected a list of strings'],
    [{ outLinks: [5] }, '"outLinks" is an array, expected a list of strings'],
    [{ ack: "yes" }, '"ack" is "yes", expected a boolean'],
    [{ retransmission: 5 }, '"retransmission" is 5, expected a boolean or an object'],
    [{ causalLabel: Symbol("x") }, '"causalLabel" is a symbol, expected a string'],
    [{ clock: new Date(0) }, '"clock" is a Date, expected a string or a number'],
    [{ signal: new AbortController() }, '"signal" is a AbortController, expected an AbortSignal'],
  ];
  return options.map(([given, says]) => [[...args, given], TypeError, `${action}: ${says}`]);
}

/** Ways to name a node that no node has. */
function naming(action: string, ...rest: readonly unknown[]): Refused[] {
  const says = "expected its name or its specification";
  return [5, null, {}, ["b"], nothing].map((node) => [[node, ...rest], TypeError, `${action}: the node is `] as const)
    .flatMap(([args, kind, start]) => [[args, kind, start], [args, kind, says]] as const);
}

/** Ways to name a handler that no handler has. */
function handling(action: string, ...before: readonly unknown[]): Refused[] {
  return [
    [[...before, 5, 1], TypeError, `${action}: the handler is 5, expected its name`],
    [[...before, { name: "log" }, 1], TypeError, `${action}: the handler is an object, expected its name`],
    [[...before, LONG_NAME, 1], RangeError, `${action}: the name of the handler has 256 characters, the limit is 255`],
  ];
}

/** Options of which there is one, and it is a signal. */
function signal(action: string, ...args: readonly unknown[]): Refused[] {
  return [
    [[...args, AbortSignal.abort()], TypeError, `${action}: there is no option `],
    [[...args, { signal: "now" }], TypeError, `${action}: "signal" is "now", expected an AbortSignal`],
    [[...args, { singal: AbortSignal.abort() }], TypeError, `${action}: there is no option "singal"`],
    [[...args, 5_000], TypeError, `${action}: the options are 5000, expected an object`],
  ];
}

const ADDRESS = 'Cannot read an address: expected "host:port" or { hostname, port }, got ';
const UNSENT = "Cannot send: expected a node and a handler name, or { node, name }";
const UNSENDABLE: Refused[] = [
  [[5, "log", 1], TypeError, UNSENT],
  [[null, "log", 1], TypeError, UNSENT],
  [[undefined, "log", 1], TypeError, UNSENT],
  [["b", 5, 1], TypeError, UNSENT],
  [[{ node: "b" }, 1], TypeError, UNSENT],
  [["b", LONG_NAME, 1], RangeError, "Cannot send: the name of the handler has 256 characters"],
  ...sending("Cannot send", "b", "log", 1),
  ...sending("Cannot send", { node: "b", name: "log" }, 1),
];
const REGISTRATION: Refused[] = [
  [[5, nothing], TypeError, "Cannot register a number: a name has 1 to 255 characters"],
  [["", nothing], TypeError, 'Cannot register "": a name has 1 to 255 characters'],
  [["new", "log"], TypeError, 'Cannot register "new": the handler is string, expected a function'],
  [["new", nothing, true], TypeError, 'Cannot register "new": the options are true, expected an object'],
  [["new", nothing, { concurency: 1 }], TypeError, 'Cannot register "new": there is no option "concurency", only '],
  [["new", nothing, { concurrency: "1" }], RangeError, '"concurrency" is "1", expected an integer of 1 or more'],
  [["new", nothing, { schema: {} }], TypeError, 'the schema has no "~standard" property'],
];
const SUBSCRIPTION: Refused[] = [
  [[5, nothing], TypeError, 'Cannot subscribe: expected a node name or "*", and a function'],
  [["b", "log"], TypeError, 'Cannot subscribe: expected a node name or "*", and a function'],
  [["b", nothing, "bulk"], TypeError, 'Cannot subscribe: the options are "bulk", expected an object'],
  [["b", nothing, { channel: 5 }], TypeError, 'Cannot subscribe: "channel" is 5, expected a string'],
  [["b", nothing, { chanel: "x" }], TypeError, 'Cannot subscribe: there is no option "chanel", only "channel"'],
];
const INTERPOSITION: Refused[] = [
  [[5, nothing], TypeError, "Cannot interpose: expected a name and a function"],
  [["x", 5], TypeError, "Cannot interpose: expected a name and a function"],
];
const NO_INTERPOSITION: Refused[] = [[[5], TypeError, "Cannot interpose: expected the name of a function"]];

/** Calls that each function refuses. */
const REFUSED: Readonly<Record<string, readonly Refused[]>> = {
  addEventListener: [
    [["up", "log"], TypeError, 'Cannot listen for "up": the listener is "log", expected a function'],
    [["up", 5], TypeError, 'Cannot listen for "up": the listener is 5, expected a function'],
  ],
  members: [
    [[{ status: "dwon" }], TypeError, 'Cannot list the members: "status" is "dwon", expected one of up, suspect, down'],
    [[{ state: "up" }], TypeError, 'Cannot list the members: there is no option "state", only "status"'],
    [["up"], TypeError, 'Cannot list the members: the options are "up", expected an object'],
  ],
  memberInfo: naming("Cannot look up a member"),
  member: naming("Cannot look up a member"),
  join: [
    [[5], TypeError, `${ADDRESS}5`],
    [[null], TypeError, `${ADDRESS}null`],
    [[{}], TypeError, `${ADDRESS}an object`],
    [["nowhere"], SyntaxError, 'Cannot read the address "nowhere"'],
    [[SPEC], TypeError, "Invalid channels"],
    ...signal("Cannot join", "127.0.0.1:1"),
  ],
  syncJoin: [
    [[5], TypeError, `${ADDRESS}5`],
    [[undefined], TypeError, `${ADDRESS}undefined`],
    [[{ name: "b", addresses: "127.0.0.1:1" }], TypeError, "Invalid "],
    ...signal("Cannot join", "127.0.0.1:1"),
  ],
  leave: naming("Cannot leave"),
  decode: [
    [["bytes"], TypeError, "Cannot read the state: expected the bytes of getLocalState(), got a string"],
    [[[1, 2]], TypeError, "Cannot read the state: expected the bytes of getLocalState(), got an array"],
  ],
  updateMembers: [
    [[5], TypeError, "Cannot update the members: expected a list of node specifications, got 5"],
    [[["a"]], TypeError, "Invalid node spec: expected an object, got a string"],
    [[[], { removeself: true }], TypeError, 'Cannot update the members: there is no option "removeself"'],
    [[[], { removeSelf: "yes" }], TypeError, 'Cannot update the members: "removeSelf" is "yes", expected a boolean'],
  ],
  onUp: SUBSCRIPTION,
  onDown: SUBSCRIPTION,
  isConnected: [
    ...naming("Cannot look up a connection"),
    [["b", { channel: "x" }], TypeError, "Cannot look up a connection: the channel is an object, expected a string"],
  ],
  isFullyConnected: naming("Cannot look up a connection"),
  register: [
    ...REGISTRATION,
    [["new", nothing, { borrow: "all" }], TypeError, 'the option "borrow" is "all", expected a boolean or "range"'],
  ],
  unregister: [[[5], TypeError, "Cannot unregister: the name is 5, expected a string"]],
  forwardMessage: [
    ...UNSENDABLE,
    [["b", "log", 1, { timeout: "5" }], RangeError, '"timeout" is 5; expected milliseconds, 0 or more'],
    [
      ["b", "log", 1, { ack: true, retransmission: { initial: "5" } }],
      TypeError,
      '"initial" is "5", expected a number',
    ],
    [["b", "log", 1, { ack: true, retransmission: { inital: 5 } }], TypeError, 'there is no option "inital"'],
  ],
  castMessage: UNSENDABLE,
  call: [
    ...naming("Cannot call", "log", 1),
    ...handling("Cannot call", "b"),
    ...sending("Cannot call", "b", "log", 1),
    [["b", "log", 1, { timeout: "5" }], RangeError, '"timeout" is 5; expected milliseconds, 0 or more'],
    [["b", "log", 1, { into: [] }], TypeError, '"into" is object, expected a Uint8Array'],
  ],
  callAll: [
    ...handling("Cannot call"),
    ...sending("Cannot call", "log", 1),
    [["log", 1, { nodes: "ab" }], TypeError, 'Cannot call "log": "nodes" is "ab", expected a list of nodes'],
    [["log", 1, { nodes: 5 }], TypeError, 'Cannot call "log": "nodes" is 5, expected a list of nodes'],
    [["log", 1, { nodes: ["a", 5] }], TypeError, 'Cannot call "log": the node is 5, expected its name'],
    [["log", 1, { timeout: "5" }], RangeError, '"timeout" is 5; expected milliseconds, 0 or more'],
    [["log", 1, { into: new Uint8Array(1) }], TypeError, 'Cannot call: there is no option "into"'],
  ],
  broadcast: [
    ...handling("Cannot broadcast"),
    [["log", 1, true], TypeError, "Cannot broadcast: the options are true, expected an object"],
    [["log", 1, { newcomers: "no" }], TypeError, 'Cannot broadcast: "newcomers" is "no", expected a boolean'],
    [["log", 1, { channel: "x" }], TypeError, 'Cannot broadcast: there is no option "channel", only "newcomers"'],
  ],
  ready: [...naming("Cannot wait"), [["b", 5], TypeError, "Cannot wait: the channel is 5, expected a string"]],
  registerStream: REGISTRATION,
  unregisterStream: [[[5], TypeError, "Cannot unregister: the name is 5, expected a string"]],
  openStream: [
    ...naming("Cannot open a stream", "log"),
    ...handling("Cannot open a stream", "b"),
    ...sending("Cannot open a stream", "b", "log", 1),
    [["b", "log", 1, { timeout: "5" }], RangeError, '"timeout" is 5; expected milliseconds, 0 or more'],
  ],
  callStream: [
    ...naming("Cannot open a stream", "log"),
    ...handling("Cannot open a stream", "b"),
    ...sending("Cannot open a stream", "b", "log", 1),
  ],
  sendMessage: [[[5, 1], TypeError, UNSENT], ...sending("Cannot send", "b", 1)],
  receiveMessage: [
    ...naming("Cannot receive", "default", 1),
    [["b", 5, 1], TypeError, "Cannot receive: the channel is 5, expected a string"],
  ],
  monitor: [
    [["b"], TypeError, 'Cannot monitor a handler: it is "b", expected { node, name }'],
    [[{ name: "log" }], TypeError, "Cannot monitor a handler: it is an object, expected { node, name }"],
    [[{ node: "b", name: 5 }], TypeError, "Cannot monitor a handler: the handler is 5, expected its name"],
    [[{ node: "b", name: "log" }, { channel: 5 }], TypeError, '"channel" is 5, expected a string'],
    [[{ node: "b", name: "log" }, { chanel: "x" }], TypeError, 'there is no option "chanel", only "channel"'],
  ],
  demonitor: [
    [[5], TypeError, "Cannot end a watch: it is a number, expected what monitor() returned"],
    [[undefined], TypeError, "Cannot end a watch: it is undefined, expected what monitor() returned"],
  ],
  monitorNodes: signal("Cannot monitor nodes"),
  addPreInterpositionFun: INTERPOSITION,
  addInterpositionFun: INTERPOSITION,
  addPostInterpositionFun: INTERPOSITION,
  removePreInterpositionFun: NO_INTERPOSITION,
  removeInterpositionFun: NO_INTERPOSITION,
  removePostInterpositionFun: NO_INTERPOSITION,
  injectPartition: [
    ...naming("Cannot inject a partition", 1),
    [["b", "1"], RangeError, 'Cannot inject a partition: "ttl" is "1", expected a whole number from 0 to 255'],
    [["b", Symbol("x")], RangeError, 'Cannot inject a partition: "ttl" is a symbol, expected a whole number'],
  ],
  resolvePartition: [[[5], TypeError, "Cannot resolve a partition: the reference is 5, expected a string"]],
  setAttribute: [
    [[5, 1], TypeError, "Invalid key: expected a string, got a number"],
    [[LONG_NAME, 1], RangeError, "Invalid key: expected 1 to 255 code units, got 256"],
  ],
  attribute: [
    ...naming("Cannot read an attribute", "role"),
    [["b", 5], TypeError, "Cannot read an attribute: the key is 5, expected a string"],
  ],
  attributes: naming("Cannot read the attributes"),
  onAttribute: [
    [[5, nothing], TypeError, "Invalid key: expected a string, got a number"],
    [["role", 5], TypeError, "Cannot listen for an attribute: the listener is 5, expected a function"],
    [["role"], TypeError, "Cannot listen for an attribute: the listener is undefined, expected a function"],
  ],
  reserve: [[[5], TypeError, "Cannot reserve a slot: the tag is 5, expected a string"]],
  updateSecrets: [[[5], TypeError, "Cannot update the secrets"]],
  updateTls: [[[5], TypeError, "Cannot update the certificates"]],
  drain: [
    ...signal("Cannot drain"),
    [[{ timeout: "5" }], RangeError, '"timeout" is 5; expected milliseconds, 0 or more'],
  ],
};

/** Functions that take nothing, or of which every value is a good one: a name that is not known, say. */
const TAKES_ANYTHING = [
  ...[
    "as",
    "connected",
    "constructor",
    "discovery",
    "getInterpositionFuns",
    "getLocalState",
    "getPostInterpositionFuns",
  ],
  ...["getPreInterpositionFuns", "membersForOrchestration", "partitions", "removeEventListener", "stats", "stop"],
  ...["supportsCapability", "toJSON", "whereis"],
];

/** Whether a function answers by a promise, and so refuses by one. */
const REJECTS = new Set([
  ...["call", "callAll", "drain", "forwardMessage", "injectPartition", "join", "leave", "openStream", "ready"],
  ...["sendMessage", "syncJoin", "updateMembers", "updateSecrets", "updateTls"],
]);

Deno.test("The table of what is refused has every function of a node", () => {
  const functions = Object.entries(Object.getOwnPropertyDescriptors(PeerService.prototype))
    .filter(([, { value }]) => typeof value === "function").map(([name]) => name);
  assertEquals(functions.sort(), [...Object.keys(REFUSED), ...TAKES_ANYTHING].sort());
});

scenario("Arguments of another kind are refused with words that name them, and nothing else is lost", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  b.registerStream("log", ({ writable }) => void writable.close());
  const node = a as unknown as Untyped;
  const membersBefore = a.members();
  for (const [name, refused] of Object.entries(REFUSED)) {
    for (const [args, kind, says] of refused) {
      const attempt = () => node[name]?.call(a, ...args);
      const error = REJECTS.has(name)
        ? await assertRejects(() => attempt() as Promise<unknown>, kind, undefined, `${name}(): ${says}`)
        : assertThrows(attempt, kind, undefined, `${name}(): ${says}`);
      assertStringIncludes(error.message, says, `${name}()`);
    }
  }

  const { sent, dropped, failed } = a.stats().messages;
  assertEquals([sent, dropped, failed], [0, 0, 0]);
  assertEquals([a.members(), a.partitions(), a.attributes()], [membersBefore, [], new Map()]);
  assertEquals([a.getInterpositionFuns().size, a.whereis("new")], [0, undefined]);
  assertEquals([await a.forwardMessage("b", "log", "last", { ack: true }), heard.messages], [undefined, ["last"]]);
  const { closed } = await a.openStream("b", "log");
  closed.catch(() => {});
  assert(a.isFullyConnected("b"), "it is connected as before");
});

scenario("Options that are undefined, and none at all, are as if they were not given", async (world) => {
  const [a, b] = await world.cluster(["a", "b"]);
  const heard = world.inbox(b, "log");
  b.register("echo", (message) => message);
  const undefinedOnes = {
    ...{ channel: undefined, fallback: undefined, partitionKey: undefined, transitive: undefined, outLinks: undefined },
    ...{ ack: undefined, retransmission: undefined, causalLabel: undefined, clock: undefined },
    ...{ signal: undefined, timeout: undefined, misspelled: undefined },
  };
  const node = a as unknown as Untyped;
  for (const options of [undefined, null, {}, undefinedOnes, Object.freeze(Object.create(undefinedOnes))]) {
    await node.forwardMessage?.call(a, "b", "log", 1, options);
    node.castMessage?.call(a, "b", "log", 1, options);
    node.broadcast?.call(a, "log", 1, options);
    assertEquals(await node.call?.call(a, "b", "echo", 1, options), 1);
    assertEquals(node.members?.call(a, options), ["a", "b"]);
    (node.onUp?.call(a, "b", nothing, options) as Disposable)[Symbol.dispose]();
    (node.monitor?.call(a, { node: "b", name: "log" }, options) as Disposable)[Symbol.dispose]();
  }
  for (const options of [new AbortController(), { signal: undefined }]) {
    const stream = a.monitorNodes(options as { signal: AbortSignal });
    await stream.return?.();
  }
  await world.until("all arrived", () => heard.messages.length === 15);
});
