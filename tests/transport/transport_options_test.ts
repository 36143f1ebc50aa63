// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert } from "@std/assert";
import {
  denoRuntime,
  type DenoRuntimeOptions,
  MemoryNetwork,
  type MemoryNetworkOptions,
  systemClock as clock,
  systemRandom as random,
  TcpTransport,
  type TcpTransportOptions,
  UnixTransport,
  type UnixTransportOptions,
} from "../../transport/mod.ts";
import { assertRefuses, type Refused, type Refusing } from "../refused_options.ts";

/** Options that transports over sockets share, with those that must be given. */
function ofSockets(given: object): Refused[] {
  return [
    [{ ...given, clock: undefined }, TypeError, '"clock" is undefined, expected a clock'],
    [{ ...given, clock: Date }, TypeError, '"clock" is a function, expected a clock'],
    [{ ...given, closeTimeout: "5" }, TypeError, '"closeTimeout" is "5", expected a number'],
    [{ ...given, closeTimeout: -1 }, RangeError, '"closeTimeout" is -1; expected milliseconds, 0 or more'],
  ];
}

const REFUSING: readonly Refusing[] = [
  {
    call: (options) => new TcpTransport(options as TcpTransportOptions),
    action: "Cannot make a transport",
    option: "clock",
    refused: ofSockets({ clock }),
  },
  {
    call: (options) => new UnixTransport(options as UnixTransportOptions),
    action: "Cannot make a transport",
    option: "directory",
    refused: [
      ...ofSockets({ clock, directory: "/tmp" }),
      [{ clock }, TypeError, '"directory" is undefined, expected a string'],
      [{ clock, directory: 5 }, TypeError, '"directory" is 5, expected a string'],
    ],
  },
  {
    call: (options) => denoRuntime(options as DenoRuntimeOptions),
    action: "Cannot make a runtime",
    option: "transport",
    refused: [
      [{ transport: "tcp" }, TypeError, '"transport" is "tcp", expected a transport'],
      [{ transport: { listen: () => {} } }, TypeError, '"transport" is an object, expected a transport'],
      [{ random: Math.random }, TypeError, '"random" is a function, expected a source of randomness'],
    ],
  },
  {
    call: (options) => new MemoryNetwork(options as MemoryNetworkOptions),
    action: "Cannot make a network",
    option: "latency",
    refused: [
      [{}, TypeError, '"clock" is undefined, expected a clock'],
      [{ clock, random: 5 }, TypeError, '"random" is 5, expected a source of randomness'],
      [{ clock, latency: [1, 5] }, TypeError, '"latency" is an array, expected a number or a function'],
      [{ clock, resolution: "1" }, TypeError, '"resolution" is "1", expected a number'],
      [{ clock, resolution: NaN }, RangeError, '"resolution" is NaN, expected 0 or more'],
      [{ clock, windowBytes: "1" }, TypeError, '"windowBytes" is "1", expected a number'],
      [{ clock, windowBytes: 0 }, RangeError, '"windowBytes" is 0, expected 1 or more'],
      [{ clock, retransmission: 200 }, TypeError, '"retransmission" is 200, expected an object'],
      [
        { clock, retransmission: { first: 1 } },
        TypeError,
        '"retransmission": there is no option "first", only "initial"',
      ],
      [{ clock, retransmission: { cap: "1" } }, TypeError, '"retransmission": "cap" is "1", expected a number'],
      [
        { clock, observer: () => {} },
        TypeError,
        '"observer" is a function, expected an object with arrived() and woken()',
      ],
    ],
  },
];

Deno.test("The options of transports and runtimes are refused where they can be none", async () => {
  for (const each of REFUSING) await assertRefuses(each);
});

Deno.test("Options of transports and runtimes that are undefined are as if they were not given", () => {
  const nothing = { closeTimeout: undefined, transport: undefined, random: undefined, misspelt: undefined };
  const network = { latency: undefined, resolution: undefined, windowBytes: undefined, observer: undefined };
  const transport = new TcpTransport({ clock, ...nothing } as TcpTransportOptions);
  new UnixTransport({ clock, directory: "/tmp", ...nothing } as UnixTransportOptions);
  new MemoryNetwork({ clock, ...nothing, ...network, retransmission: undefined } as MemoryNetworkOptions);
  assert(denoRuntime(nothing as DenoRuntimeOptions).transport instanceof TcpTransport);
  assert(denoRuntime({ transport, random }).transport === transport);
});
