// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { entryOf, firstOf, groupOf, nthOf } from "../values.ts";
import { type Desk, MAIN, programOf, unixTest } from "./desk.ts";

/** Arguments that say which node of a desk is asked. */
function at(desk: Desk, name: string): string[] {
  return ["--admin", `${desk.folder}/partisan/${name}.sock`];
}

/** Gets from a node's HTTP server. */
async function get(line: string, path: string, host?: string): Promise<{ status: number; text: string }> {
  const url = groupOf(line, /HTTP: (\S+)$/);
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const request = `GET ${path} HTTP/1.1\r\nhost: ${host ?? hostname}\r\nconnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const text = await new Response(connection.readable).text();
  return { status: Number(text.split(" ")[1]), text };
}

unixTest(
  "a second signal ends a node that drains at once, with 128 and its number; --drain-timeout bounds it",
  async (desk) => {
    // A node waits a heartbeat interval when it drains, so that others hear of it: here that is a minute.
    const config = `${desk.folder}/config.json`;
    await Deno.writeTextFile(config, '{"heartbeat":{"interval":60000}}');
    const patient = await desk.start("--name", "a", "--config", config, "--drain-timeout", "3600000");
    const hasty = await desk.start("--name", "b", "--config", config, "--drain-timeout", "1");
    patient.process.kill("SIGTERM");
    await patient.errors.hear("drains; a second signal stops it at once");
    hasty.process.kill("SIGINT");
    assertEquals((await hasty.process.status).code, 0, "its time was up");
    patient.process.kill("SIGTERM");
    assertEquals((await patient.process.status).code, 143);
    const again = await desk.start("--name", "a", "--config", config);
    again.process.kill("SIGTERM");
    await again.errors.hear("drains");
    again.process.kill("SIGINT");
    assertEquals((await again.process.status).code, 130);
  },
);

unixTest("--http serves health, metrics and the page under the names of --http-host", async (desk) => {
  const { line } = await desk.start("--name", "a", "--http", "127.0.0.1:0", "--http-host", "nodes.example");
  assertEquals((await get(line, "/ready")).status, 200);
  assertStringIncludes((await get(line, "/metrics")).text, "partisan_");
  assertStringIncludes((await get(line, "/")).text, "<!doctype html>");
  assertEquals((await get(line, "/ready", "nodes.example")).status, 200);
  assertEquals((await get(line, "/ready", "elsewhere.example")).status, 421);
  const url = groupOf(line, /HTTP: (\S+)$/);
  const drained = await fetch(`${url}/drain`, { method: "POST" });
  await drained.body?.cancel();
  assertEquals(drained.status, 403, "there is no token");
});

unixTest("--token-file lets --http drain the node, and guards --admin on TCP", async (desk) => {
  const token = crypto.randomUUID();
  await Deno.writeTextFile(`${desk.folder}/token`, token);
  const file = ["--token-file", `${desk.folder}/token`];
  const { line, process } = await desk.start(
    "--name",
    "a",
    "--preset",
    "local",
    "--http",
    "127.0.0.1:0",
    "--admin",
    "127.0.0.1:0",
    ...file,
  );
  const admin = groupOf(line, /admin endpoint: ([^;]+);/);
  assertEquals((await desk.run("members", "--admin", admin)).code, 4);
  assertEquals(await desk.members(1, "--admin", admin, ...file), ["a"]);
  desk.variables = { PARTISAN_ADMIN: admin, PARTISAN_TOKEN_FILE: `${desk.folder}/token` };
  assertEquals(await desk.members(1), ["a"], "as the variables say");
  const url = groupOf(line, /HTTP: (\S+)$/);
  const answer = await fetch(`${url}/drain`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  assertEquals(answer.status, 202);
  assertEquals((await process.status).code, 0);
});

unixTest("nodes with certificates of tls ca and tls cert find each other, and let no others in", async (desk) => {
  const file = (name: string) => `${desk.folder}/${name}`;
  assertEquals((await desk.run("tls", "ca", "--out", file("ca"))).code, 0);
  for (const name of ["a", "b"]) {
    assertEquals((await desk.run("tls", "cert", "--name", name, "--ca", file("ca"), "--out", file(name))).code, 0);
  }
  const tls = (name: string) => [
    ...["--name", name, "--preset", "local", "--tls-cert", file(`${name}/${name}.crt`)],
    ...["--tls-key", file(`${name}/${name}.key`), "--tls-ca", file(`${name}/ca.crt`)],
  ];
  const a = await desk.start(...tls("a"));
  await desk.start(...tls("b"), "--join", a.address);
  assertEquals(await desk.members(2, ...at(desk, "a")), ["a", "b"]);
  const { connections } = await desk.json("keys", ...at(desk, "a")) as { connections: { certificate: unknown }[] };
  assert(connections.length > 0 && connections.every(({ certificate }) => certificate !== null), "b has shown its own");
  await desk.start("--name", "c", "--preset", "local");
  const refused = await desk.run("join", a.address, ...at(desk, "c"), "--timeout", "1000");
  assertEquals([refused.code, await desk.members(2, ...at(desk, "a"))], [1, ["a", "b"]]);
  const { stderr, code } = await desk.run("start", ...tls("a").slice(0, 6));
  assertEquals(code, 2);
  assertStringIncludes(stderr, "TLS needs all three files");
});

unixTest("--discovery finds the others by a list and by a file", async (desk) => {
  const a = await desk.start("--name", "a", "--preset", "local");
  await desk.start("--name", "b", "--preset", "local", "--discovery", `list:${a.address}`);
  await Deno.writeTextFile(`${desk.folder}/peers`, `${a.address}\n`);
  await desk.start("--name", "c", "--preset", "local", "--discovery", `file:${desk.folder}/peers`);
  assertEquals(await desk.members(3, ...at(desk, "a")), ["a", "b", "c"]);
});

unixTest("a node starts from variables alone, and from a file alone", async (desk) => {
  desk.variables = { PARTISAN_NAME: "a", PARTISAN_PRESET: "local", PARTISAN_CLUSTER: "blue" };
  const a = await desk.start();
  desk.variables = {};
  const config = { name: "b", preset: "local", cluster: "blue", join: [a.address], metadata: { rack: 7 } };
  await Deno.writeTextFile(`${desk.folder}/b.json`, JSON.stringify(config));
  await desk.start("--config", `${desk.folder}/b.json`);
  assertEquals(await desk.members(2, ...at(desk, "a")), ["a", "b"]);
  const { metadata } = await desk.json("info", "b", ...at(desk, "a")) as { metadata: unknown };
  assertEquals(metadata, { rack: 7 });
  const other = await desk.start("--name", "c", "--cluster", "green", "--preset", "local");
  const refused = await desk.run("join", other.address, ...at(desk, "a"), "--timeout", "1000");
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "green");
});

unixTest(
  "--advertise and --app-version are what others are told; --store outlives the node",
  async (desk) => {
    const store = `${desk.folder}/store`;
    const options = ["--preset", "local"];
    const a = await desk.start("--name", "a", ...options);
    const b = ["--name", "b", "--advertise", "localhost:9999", "--app-version", "1.2.3", "--store", store, ...options];
    const first = await desk.start(...b, "--join", a.address);
    assertEquals(await desk.members(2, ...at(desk, "a")), ["a", "b"]);
    const info = await desk.json("info", "b", ...at(desk, "a")) as { addresses: string[]; attributes: unknown };
    assertEquals([info.addresses, info.attributes], [["localhost:9999"], { appVersion: "1.2.3" }]);
    first.process.kill("SIGKILL");
    await first.process.status;
    await desk.start(...b);
    assertEquals(await desk.members(2, ...at(desk, "b")), ["a", "b"], "it remembers its peers");
  },
);

unixTest("commands need no more permissions than docs/command.md names", async (desk) => {
  const text = await Deno.readTextFile(new URL("../../docs/command.md", import.meta.url));
  const section = firstOf(nthOf(text.split("\n## Permissions\n"), 1).split("\n## "));
  const rows = section.matchAll(/^\| (\w+) +\| `(--[^`]+)`/gm);
  const flags = new Map(Array.from(rows, (row) => [nthOf(row, 1), nthOf(row, 2).split(" ")]));
  const bare = groupOf(text, /needs `([^`]+)` only/);
  const allow = (list: readonly string[]) => {
    desk.program = [...programOf(MAIN).slice(0, 2), "--no-prompt", "--no-check", "--no-config", ...list, MAIN];
  };
  allow(entryOf(flags, "node"));
  await Deno.writeTextFile(`${desk.folder}/secret`, "a secret that is long enough");
  const a = await desk.start("--name", "a", "--preset", "local", "--secret-file", `${desk.folder}/secret`);
  allow(entryOf(flags, "attached"));
  assertEquals(await desk.members(1), ["a"]);
  allow(bare.split(" "));
  await desk.start("--name", "b", "--admin", "none", "--join", a.address);
  allow(entryOf(flags, "files"));
  assertEquals((await desk.run("tls", "ca", "--out", `${desk.folder}/ca`)).code, 0);
  allow([]);
  assertEquals((await desk.run("completions", "bash")).code, 0);
});

unixTest("a node without an admin endpoint cannot be asked", async (desk) => {
  const { line } = await desk.start("--name", "a", "--admin", "none");
  assert(!line.includes("admin endpoint"), line);
  assertEquals((await desk.run("members")).code, 4);
});

unixTest("options that make no sense end start with 2, wherever they come from, and say which", async (desk) => {
  const wrong = async (args: string[], variables: Record<string, string>, text: string) => {
    desk.variables = variables;
    const { code, stderr } = await desk.run("start", ...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, text);
  };
  await wrong(["--listen", "nonsense"], {}, '"nonsense"');
  await wrong([], { PARTISAN_ADVERTISE: "127.0.0.1:99999" }, '"127.0.0.1:99999"');
  await wrong(["--http", "0.0.0.0"], {}, "HOST:PORT");
  await Deno.writeTextFile(`${desk.folder}/c.json`, '{"heartbeat":{"interval":-1}}');
  await wrong(["--config", `${desk.folder}/c.json`], {}, "heartbeat");
});

unixTest(
  "a node that has another secret, or the name of another node, says why it cannot join",
  async (desk) => {
    for (const name of ["right", "wrong"]) {
      await Deno.writeTextFile(
        `${desk.folder}/${name}`,
        `the ${name} one of two secrets`,
      );
    }
    const options = (file: string) => ["--preset", "local", "--secret-file", `${desk.folder}/${file}`];
    const a = await desk.start("--name", "a", ...options("right"));
    const w = await desk.start("--name", "w", "--join", a.address, ...options("wrong"));
    await w.errors.hear("it does not know the secret");
    const twin = ["--name", "a", "--admin", `${desk.folder}/twin.sock`, "--join", a.address, ...options("right")];
    const newer = await desk.start(...twin);
    await newer.errors.hear("another living node has the name");
  },
);
