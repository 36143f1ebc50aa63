// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { dns, type DnsOptions, file, kubernetes, type KubernetesOptions, list } from "../../discovery/mod.ts";
import { assertRefuses, type Refusing } from "../refused_options.ts";

const SERVER = { ipAddr: "10.0.0.2" };

const REFUSING: readonly Refusing[] = [
  {
    call: (options) => dns("peers.test", options as DnsOptions),
    action: 'Cannot look up "peers.test"',
    option: "port",
    refused: [
      [{ port: "9090" }, TypeError, '"port" is "9090", expected a number'],
      [{ port: 0.5 }, RangeError, "port is 0.5, expected 1 to 65535"],
      [{ port: 1, type: 5 }, TypeError, '"type" is 5, expected a string'],
      [{ port: 1, nameServer: "10.0.0.2" }, TypeError, '"nameServer" is "10.0.0.2", expected an object'],
      [{ port: 1, nameServer: { ip: "10.0.0.2" } }, TypeError, '"nameServer": there is no option "ip", only "ipAddr"'],
      [{ port: 1, nameServer: {} }, TypeError, '"nameServer": "ipAddr" is undefined, expected a string'],
      [
        { port: 1, nameServer: { ...SERVER, port: "53" } },
        TypeError,
        '"nameServer": "port" is "53", expected a number',
      ],
      [{ port: 1, nameServer: { ...SERVER, port: 0 } }, RangeError, '"nameServer": port is 0, expected 1 to 65535'],
    ],
  },
  {
    call: (options) => kubernetes(options as KubernetesOptions),
    action: "Cannot find nodes in Kubernetes",
    option: "service",
    refused: [
      [{ service: 5 }, TypeError, '"service" is 5, expected a string'],
      [{ selector: { app: "chat" } }, TypeError, '"selector" is an object, expected a string'],
      [{ service: "chat", namespace: 5 }, TypeError, '"namespace" is 5, expected a string'],
      [{ service: "chat", port: [9_090] }, TypeError, '"port" is an array, expected a string or a number'],
      [{ service: "chat", port: 65_536 }, RangeError, "port is 65536, expected 1 to 65535"],
      [{ service: "chat", api: "10.0.0.1" }, TypeError, '"api" is "10.0.0.1", expected a URL'],
    ],
  },
];

Deno.test("The options of dns() and kubernetes() are refused where they can be none", async () => {
  for (const each of REFUSING) await assertRefuses(each);
});

Deno.test("Options of dns() and kubernetes() that are undefined are as if they were not given", () => {
  const nameServer = { ...SERVER, port: undefined };
  const options = { port: 9_090, type: undefined, nameServer: undefined, misspelt: undefined };
  assertEquals(dns("peers.test", options as DnsOptions).name, "dns A+AAAA peers.test");
  assertEquals(dns("peers.test", { ...options, nameServer } as unknown as DnsOptions).name, "dns A+AAAA peers.test");
  const none = { namespace: undefined, selector: undefined, port: undefined, api: undefined, misspelt: undefined };
  assertEquals(kubernetes({ ...none, service: "chat" } as KubernetesOptions).name, "kubernetes service chat");
  const api = new URL("https://10.0.0.1/");
  assertEquals(kubernetes({ selector: "app=chat", api, port: "partisan" }).name, "kubernetes pods app=chat");
});

Deno.test("list() refuses what is no list, and file() what is no path", () => {
  const [addresses, path] = ["10.0.0.7:9090", 5] as unknown as [string[], string];
  const noList = 'Cannot look up a list: the list is "10.0.0.7:9090", expected a list of addresses';
  assertThrows(() => list(addresses), TypeError, noList);
  assertThrows(() => file(path), TypeError, "Cannot look up a file: the path is 5, expected a path or a URL");
});
