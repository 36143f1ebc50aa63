// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { parseArguments } from "../../cli/arguments.ts";
import type { Arguments, OptionSpec } from "../../cli/option_table.ts";
import { startOptions } from "../../cli/start_options.ts";
import { camelCase, discoveryOf, StartSettings, variableOf } from "../../cli/start_settings.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { firstOf, nthOf, present } from "../values.ts";

const others = startOptions.filter(({ name }) => name !== "config");

/** Reads the settings that `start` is given by a command line, variables and a file. */
async function read(
  line: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  file?: unknown,
): Promise<StartSettings> {
  const environment = (name: string) => Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (file === undefined) return await StartSettings.read(argumentsOf(line), environment);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, typeof file === "string" ? file : JSON.stringify(file));
    return await StartSettings.read(argumentsOf([...line, "--config", path]), environment);
  } finally {
    await Deno.remove(path);
  }
}

function argumentsOf(line: readonly string[]): Arguments {
  return present(parseArguments(["start", ...line]).options);
}

/** Three different values that an option takes. */
function valuesOf({ choices, range }: OptionSpec): readonly [string, string, string] {
  if (choices !== undefined) return [firstOf(choices), nthOf(choices, 1), nthOf(choices, 2)];
  return range === undefined ? ["one", "two", "three"] : [`${range[0]}`, `${range[0] + 1}`, `${range[0] + 2}`];
}

for (const option of others) {
  Deno.test(`--${option.name} goes before ${variableOf(option.name)}, and that before the file`, async () => {
    const [flag, variable, inFile] = valuesOf(option);
    const variables = { [variableOf(option.name)]: variable };
    const file = { [camelCase(option.name)]: inFile };
    assertEquals((await read([`--${option.name}`, flag], variables, file)).list(option.name), [flag]);
    assertEquals((await read([], variables, file)).list(option.name), [variable]);
    assertEquals((await read([], { [variableOf(option.name)]: "" }, file)).text(option.name), inFile, "an empty one");
    assertEquals((await read([], {}, {})).text(option.name), undefined);
    if (option.choices === undefined && option.range === undefined) return;
    await assertRejects(() => read([], { [variableOf(option.name)]: "none" }), UsageError, variableOf(option.name));
    await assertRejects(() => read([], {}, { [camelCase(option.name)]: "none" }), UsageError, camelCase(option.name));
  });
}

Deno.test("an option that may be repeated takes lists: with commas in a variable, an array in the file", async () => {
  assertEquals((await read(["--join", "a:1", "--join", "b:2"])).list("join"), ["a:1", "b:2"]);
  assertEquals((await read([], { PARTISAN_JOIN: "a:1, b:2" })).list("join"), ["a:1", "b:2"]);
  assertEquals((await read([], {}, { join: ["a:1", "b:2"] })).list("join"), ["a:1", "b:2"]);
  const sources = (await read([], { PARTISAN_DISCOVERY: "list:a:1,b:2\nfile:peers" })).list("discovery");
  assertEquals(sources, ["list:a:1,b:2", "file:peers"], "a source may hold commas: they stand a line each");
});

Deno.test("the file of PARTISAN_CONFIG is read as that of --config is", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, '{"name":"in the file"}');
    const environment = (name: string) => name === "PARTISAN_CONFIG" ? path : undefined;
    assertEquals((await StartSettings.read(argumentsOf([]), environment)).text("name"), "in the file");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("what is wrong in the file is told by name", async () => {
  await assertRejects(() => read([], {}, { chanels: {} }), UsageError, 'Unknown option "chanels"');
  await assertRejects(() => read([], {}, { config: "x" }), UsageError, 'Unknown option "config"');
  await assertRejects(() => read([], {}, { name: {} }), UsageError, '"name" in');
  await assertRejects(() => read([], {}, { name: ["a", "b"] }), UsageError, '"name" in');
  await assertRejects(() => read([], {}, "[1]"), UsageError, "it is no JSON object");
  await assertRejects(() => read([], {}, "{"), UsageError, "Cannot read");
  await assertRejects(() => read(["--config", "/nowhere/at/all"]), UsageError, "Cannot read");
});

Deno.test("every option of a node reaches it", async () => {
  const folder = await Deno.makeTempDir();
  const path = (name: string) => `${folder}/${name}`;
  try {
    await Deno.writeTextFile(path("secret"), "the preferred one of two\r\n\n  the other one of two  \n");
    for (const name of ["cert", "key", "ca"]) await Deno.writeTextFile(path(name), `the ${name}`);
    const line = {
      name: "a",
      listen: "127.0.0.1:9090",
      advertise: "a.example:9090",
      join: "b.example:9090",
      discovery: "list:c.example:9090",
      cluster: "blue",
      "secret-file": path("secret"),
      "tls-cert": path("cert"),
      "tls-key": path("key"),
      "tls-ca": path("ca"),
      store: path("store"),
      strategy: "hyparview",
      preset: "wan",
      "app-version": "1.2.3",
    };
    const settings = await read(Object.entries(line).flatMap(([name, value]) => [`--${name}`, value]), {}, {
      metadata: { rack: 7 },
      channels: { bulk: { parallelism: 2 } },
    });
    const { discovery, strategy, store, ...options } = await settings.nodeOptions();
    assertEquals(options, {
      name: "a",
      listen: ["127.0.0.1:9090"],
      advertise: ["a.example:9090"],
      cluster: "blue",
      preset: "wan",
      appVersion: "1.2.3",
      secret: ["the preferred one of two", "the other one of two"],
      tls: { cert: "the cert", key: "the key", ca: "the ca" },
      metadata: { rack: 7 },
      channels: { bulk: { parallelism: 2 } },
    });
    assertEquals([discovery].flat().map((source) => source?.name), ["list", "list"]);
    assertEquals([typeof strategy, typeof store], ["object", "object"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("TLS needs all three files, and a file of secrets at least one", async () => {
  await assertRejects(async () => (await read(["--tls-cert", "x", "--tls-ca", "y"])).tls(), UsageError, "--tls-key");
  const path = await Deno.makeTempFile();
  try {
    await assertRejects(async () => (await read(["--secret-file", path])).secrets(), UsageError, "holds no secret");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("each kind of discovery is made of its text, and nothing else is", () => {
  const texts = [
    "list:a.example:1,b.example:2",
    "file:/etc/peers",
    "dns:nodes.example:9090",
    "dns:_partisan._tcp.nodes.example",
    "kubernetes:partisan:9090",
    "kubernetes:partisan",
  ];
  assertEquals(texts.map((text) => discoveryOf(text).name), [
    "list",
    "file /etc/peers",
    "dns A+AAAA nodes.example",
    "dns SRV _partisan._tcp.nodes.example",
    "kubernetes service partisan",
    "kubernetes service partisan",
  ]);
  for (const text of ["", "list:", "dns:nodes.example", "consul:x", "file:", "kubernetes:"]) {
    let message = "";
    try {
      discoveryOf(text);
    } catch (error) {
      message = (error as UsageError).message;
    }
    assertEquals(message.startsWith(`Option "--discovery" is "${text}"`), true, message);
  }
});
