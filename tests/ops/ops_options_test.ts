// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import type { PeerServiceManager } from "../../mod.ts";
import {
  type AdminOptions,
  httpHandler,
  type HttpHandlerOptions,
  instrument,
  type InstrumentOptions,
  serveAdmin,
} from "../../ops/mod.ts";
import { scenario } from "../manager/worlds.ts";
import { assertRefuses, type Refusing } from "../refused_options.ts";
import { KeptTracer } from "./kept_tracer.ts";

const TOKEN = "0123456789abcdef";

function refusing(node: PeerServiceManager): Refusing[] {
  return [
    {
      call: (options) => serveAdmin(node, options as AdminOptions),
      rejects: true,
      action: "Cannot serve",
      option: "port",
      refused: [
        [{ path: 5 }, TypeError, '"path" is 5, expected a string'],
        [{ port: 0, token: TOKEN, hostname: 5 }, TypeError, '"hostname" is 5, expected a string'],
        [{ port: "0", token: TOKEN }, TypeError, '"port" is "0", expected a number'],
        [{ port: 65_536, token: TOKEN }, RangeError, "port is 65536, expected 0 to 65535"],
        [{ port: 0, token: new Uint8Array(16) }, TypeError, '"token" is a Uint8Array, expected a string'],
        [{ port: 0, token: TOKEN, hosts: "a.test" }, TypeError, '"hosts" is "a.test", expected a list of strings'],
        [{ port: 0, token: TOKEN, hosts: ["a b"] }, TypeError, '"hosts" has "a b", expected names of hosts'],
        [{ port: 0, token: TOKEN, reloadKeys: true }, TypeError, '"reloadKeys" is true, expected a function'],
      ],
    },
    {
      call: (options) => httpHandler(node, options as HttpHandlerOptions),
      action: "Cannot make a handler",
      option: "page",
      refused: [
        [{ token: 5 }, TypeError, '"token" is 5, expected a string'],
        [{ page: "no" }, TypeError, '"page" is "no", expected a boolean'],
        [{ hosts: "a.test" }, TypeError, '"hosts" is "a.test", expected a list of strings'],
        [{ hosts: ["a.test", "a b"] }, TypeError, '"hosts" has "a b", expected names of hosts'],
      ],
    },
    {
      call: (options) => instrument(node, options as InstrumentOptions),
      action: "Cannot instrument",
      option: "meter",
      refused: [
        [{ meter: true }, TypeError, '"meter" is true, expected a meter of OpenTelemetry, or null'],
        [{ meter: new KeptTracer() }, TypeError, '"meter" is a KeptTracer, expected a meter of OpenTelemetry, or null'],
        [{ tracer: {} }, TypeError, '"tracer" is an object, expected a tracer of OpenTelemetry, or null'],
      ],
    },
  ];
}

scenario("The options of endpoints and instruments are refused where they can be none", async (world) => {
  const [node] = await world.cluster(["a"]);
  for (const each of refusing(node)) await assertRefuses(each);
});

scenario("Options of endpoints and instruments that are undefined are as if they were not given", async (world) => {
  const [node] = await world.cluster(["a"]);
  const nothing = {
    path: undefined,
    hostname: undefined,
    hosts: undefined,
    reloadKeys: undefined,
    misspelt: undefined,
  };
  await using admin = await serveAdmin(node, { ...nothing, port: 0, token: TOKEN } as AdminOptions);
  assertEquals(admin.address.startsWith("127.0.0.1:"), true);
  const untyped = { token: undefined, page: undefined, meter: undefined, tracer: undefined, misspelt: undefined };
  for (const options of [untyped, Object.create(untyped)]) {
    const alive = await httpHandler(node, options)(new Request("http://localhost/alive"));
    assertEquals(alive.status, 200);
    await alive.body?.cancel();
    instrument(node, options)[Symbol.dispose]();
  }
  instrument(node, { meter: null, tracer: new KeptTracer() })[Symbol.dispose]();
});
