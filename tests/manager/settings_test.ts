// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { PeerServiceOptions } from "../../manager/peer_service_options.ts";
import { type Settings, settingsFrom } from "../../manager/settings.ts";
import { startPeerService } from "../../manager/start_peer_service.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { bareRuntime } from "../connections/bare_runtime.ts";
import { firstOf, nthOf } from "../values.ts";

function settings(options: PeerServiceOptions = {}): Settings {
  return settingsFrom(options, bareRuntime());
}

/** Asserts the error that is thrown for options of any type. */
function refused(options: Record<string, unknown>, kind: typeof TypeError | typeof RangeError, message: string): void {
  assertThrows(() => settings(options as PeerServiceOptions), kind, message);
}

Deno.test("settingsFrom() has a default for everything", () => {
  const { listen, advertise, channels, maxQueuedBytes, cluster, secrets, metadata, maxFrameBytes, strategy } =
    settings();
  assertEquals(listen, [{ hostname: "127.0.0.1", port: 0 }]);
  assertEquals([advertise, cluster, secrets.count, metadata], [undefined, "default", 0, {}]);
  const plain = { parallelism: 1, monotonic: false, compression: false };
  assertEquals(channels, { default: plain, membership: plain });
  assertEquals(maxQueuedBytes, { default: 8 * 2 ** 20, membership: 8 * 2 ** 20 });
  assertEquals([maxFrameBytes, strategy.name], [64 * 2 ** 20, "full-mesh"]);
});

Deno.test("settingsFrom() refuses an option that there is not, and one of another type, at any depth", () => {
  const cases:
    readonly (readonly [options: Record<string, unknown>, kind: typeof TypeError | typeof RangeError, says: string])[] =
      [
        [{ secrets: ["s"] }, TypeError, 'Cannot start: there is no option "secrets", only "name", "listen"'],
        [
          { heartbeat: { intervall: 5 } },
          TypeError,
          '"heartbeat": there is no option "intervall", only "interval", "missed"',
        ],
        [{ gossip: { fanOut: 5 } }, TypeError, '"gossip": there is no option "fanOut", only "interval", "fanout"'],
        [{ channels: { bulk: { paralellism: 4 } } }, TypeError, '"channels.bulk": there is no option "paralellism"'],
        [{ channels: { bulk: 4 } }, TypeError, '"channels.bulk": the options are 4, expected an object'],
        [{ channels: "bulk" }, TypeError, 'Cannot start: "channels" is "bulk", expected an object'],
        [
          { evict: { after: 5_000, quorom: 2 } },
          TypeError,
          '"evict": there is no option "quorom", only "after", "quorum"',
        ],
        [
          { allow: { remove: false } },
          TypeError,
          '"allow": there is no option "remove", only "faultInjection", "removal"',
        ],
        [{ causalLabels: "orders" }, TypeError, '"causalLabels" is "orders", expected a list of strings'],
        [{ strategy: "fullMesh" }, TypeError, '"strategy" is "fullMesh", expected an object'],
        [{ joinTimeout: "5" }, RangeError, '"joinTimeout" is "5", expected a number from 1 to'],
        [{ heartbeat: { interval: "5" } }, RangeError, '"heartbeat.interval" is "5", expected a number from 1 to'],
        [{ cluster: Symbol("x") }, TypeError, '"cluster" is a symbol, expected a string'],
      ];
  for (const [options, kind, says] of cases) refused(options, kind, says);
  settings({ heartbeat: undefined, gossip: { fanout: undefined }, codec: undefined });
  settings({ misspelled: undefined } as PeerServiceOptions);
});

Deno.test("settingsFrom() takes times from the preset, and what was given from the options", () => {
  assertEquals(settings().heartbeat, settings({ preset: "lan" }).heartbeat);
  assert(settings({ preset: "local" }).backoff.cap < settings().backoff.cap);
  assert(settings({ preset: "wan" }).handshakeTimeout > settings().handshakeTimeout);
  const { heartbeat, gossip } = settings({ heartbeat: { missed: 7 }, gossip: { interval: 5, fanout: undefined } });
  assertEquals(heartbeat, { interval: 1000, missed: 7 });
  assertEquals(gossip, { interval: 5, fanout: 2 });
});

Deno.test("settingsFrom() takes every fan-out from 1 to 100 that the option allows", () => {
  for (const fanout of [1, 65, 100]) assertEquals(settings({ gossip: { fanout } }).gossip.fanout, fanout);
  refused({ gossip: { fanout: 101 } }, RangeError, '"gossip.fanout" is 101, expected a whole number from 1 to 100');
});

Deno.test("settingsFrom() reads addresses in every shape", () => {
  const both = [{ hostname: "::1", port: 5 }, { hostname: "a.example", port: 6 }];
  assertEquals(settings({ listen: [firstOf(both), "a.example:6"] }).listen, both);
  assertEquals(settings({ listen: nthOf(both, 1) }).listen, [nthOf(both, 1)]);
  assertEquals(settings({ listen: "0.0.0.0:5", advertise: "a.example:6" }).advertise, [nthOf(both, 1)]);
  assertThrows(() => settings({ listen: "nowhere" }), SyntaxError, 'Cannot read the address "nowhere"');
});

Deno.test("settingsFrom() wants to know how others reach a node that listens everywhere", () => {
  for (const listen of ["0.0.0.0:1", "[::]:1"]) {
    refused({ listen }, TypeError, 'say in "advertise" how they reach this node');
  }
});

Deno.test("settingsFrom() completes channels, and bounds them", () => {
  const { channels, maxQueuedBytes } = settings({
    channels: { bulk: { parallelism: 4, compression: true, maxQueuedBytes: 64 * 1024 }, default: { monotonic: true } },
  });
  assertEquals(channels.bulk, { parallelism: 4, monotonic: false, compression: true });
  assertEquals(channels.default, { parallelism: 1, monotonic: true, compression: false });
  assertEquals([maxQueuedBytes.bulk, maxQueuedBytes.membership], [64 * 1024, 8 * 2 ** 20]);
  for (const parallelism of [0, 65, 1.5, NaN]) {
    refused({ channels: { bulk: { parallelism } } }, RangeError, `"channels.bulk.parallelism" is ${parallelism}`);
  }
  refused({ channels: { x: { maxQueuedBytes: 65_535 } } }, RangeError, '"channels.x.maxQueuedBytes" is 65535');
  refused({ channels: { membership: { parallelism: 2 } } }, RangeError, '"channels.membership.parallelism" must be 1');
});

Deno.test("settingsFrom() refuses what cannot be used, and says why", () => {
  refused({ preset: "moon" }, RangeError, 'preset is "moon", expected one of local, lan, wan');
  for (const name of ["", "x".repeat(256), 5, null]) refused({ name }, TypeError, "expected 1 to 255 characters");
  for (const cluster of [5, null, "x".repeat(256)]) refused({ cluster }, TypeError, '"cluster" is');
  refused({ heartbeat: { interval: 0 } }, RangeError, '"heartbeat.interval" is 0, expected a number from 1 to 3600000');
  refused({ heartbeat: { missed: 1 } }, RangeError, '"heartbeat.missed" is 1, expected a whole number from 2');
  refused({ heartbeat: { missed: 2.5 } }, RangeError, '"heartbeat.missed" is 2.5');
  refused({ gossip: { interval: NaN } }, RangeError, '"gossip.interval" is NaN');
  refused({ gossip: { fanout: 0 } }, RangeError, '"gossip.fanout" is 0');
  refused({ maxFrameBytes: 1023 }, RangeError, '"maxFrameBytes" is 1023');
  refused({ maxFrameBytes: 2 ** 31 }, RangeError, '"maxFrameBytes" is 2147483648');
  refused({ joinTimeout: 0 }, RangeError, '"joinTimeout" is 0');
});

Deno.test("settingsFrom() takes one secret or several, none of them empty", () => {
  assertEquals(settings({ secret: "x" }).secrets.reveal(), ["x"]);
  assertEquals(settings({ secret: ["x", "y"] }).secrets.reveal(), ["x", "y"]);
  const many = Array.from({ length: 9 }, (_, index) => `secret ${index}`);
  assertEquals(settings({ secret: many.slice(1) }).secrets.count, 8);
  for (const secret of ["", ["x", ""], [5], many, 5, {}]) {
    refused({ secret }, TypeError, '"secret" must be a non-empty string, or up to 8 of them');
  }
});

Deno.test("settingsFrom() hands on what it has no opinion about", () => {
  const codec = { encode: () => new Uint8Array(), decode: () => null };
  const metadata = { zone: "eu-1" };
  const given = settings({ codec, metadata, cluster: "" });
  assertStrictEquals(given.codec, codec);
  assertStrictEquals(given.metadata, metadata);
  assertEquals(given.cluster, "");
});

Deno.test("startPeerService() names a node that does not listen", async () => {
  const node = await startPeerService({ runtime: new SimulatedWorld().node("a"), listen: [] });
  assertEquals(node.spec.addresses, []);
  assert(/^[0-9a-f]{12}@nowhere$/.test(node.name), node.name);
  await node.stop();
});
