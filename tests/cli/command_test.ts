// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startPeerService } from "../../mod.ts";
import { serveAdmin } from "../../ops/admin.ts";
import { forEachOf } from "../tuples.ts";
import { isInstalled } from "../installed.ts";
import { Desk, MAIN, programOf, unixTest } from "./desk.ts";
import { firstOf } from "../values.ts";

const isUnix = Deno.build.os !== "windows";

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test({
  name: "start, members, info, ping, stats, keys, remove, leave and drain work over the socket of the user",
  ignore: !isUnix,
  fn: async () => {
    await using desk = new Desk();
    const none = await desk.run("members");
    assertEquals([none.code, none.stdout], [4, ""]);
    assertStringIncludes(none.stderr, "Cannot find a node");

    const a = await desk.start("--name", "a", "--preset", "local");
    assertEquals(await desk.members(1), ["a"]);
    const b = await desk.start("--name", "b", "--join", a.address, "--preset", "local");
    const several = await desk.run("members");
    assertEquals(several.code, 4);
    assertStringIncludes(several.stderr, "Cannot choose among 2 nodes");
    const at = ["--admin", `${desk.folder}/partisan/a.sock`];
    assertEquals(await desk.members(2, ...at), ["a", "b"]);

    const { stdout: table } = await desk.run("members", ...at);
    assertStringIncludes(table, "a *");
    assertStringIncludes(table, "it is connected");
    const info = await desk.json("info", "b", ...at) as { status: string; addresses: string[] };
    assertEquals([info.status, info.addresses], ["up", [b.address]]);
    assertEquals((await desk.run("info", "z", ...at)).code, 3);
    assertStringIncludes((await desk.run("ping", "b", ...at)).stdout, " ms");
    assertEquals((await desk.run("ping", "z", ...at)).code, 3);
    assertEquals(((await desk.json("stats", ...at)) as { posture: { trust: string } }).posture.trust, "open");
    assertEquals(((await desk.json("keys", ...at)) as { former: number }).former, 0);
    assertEquals((await desk.run("keys", "reload", ...at)).code, 1);
    assertStringIncludes((await desk.run("top", ...at)).stdout, "2 of 2 members up");

    assertEquals((await desk.run("remove", "b", ...at)).code, 0);
    assertEquals((await b.process.status).code, 5, "b was removed, and says so");
    assertEquals(await desk.json("leave"), { members: ["a"] });
    assertEquals((await desk.run("drain")).code, 0);
    assertEquals((await a.process.status).code, 0);
  },
});

Deno.test("call, cast, publish, join and watch work over TCP with a token, on a program's own node", async () => {
  await using desk = new Desk();
  const token = crypto.randomUUID();
  await Deno.writeTextFile(`${desk.folder}/token`, `${token}\n`);
  await using a = await startPeerService({ name: "a", log: false });
  await using b = await startPeerService({ name: "b", log: false });
  const heard: unknown[] = [];
  b.register("log", (message) => void heard.push(message));
  b.register("adder", ({ x, y }: { x: number; y: number }) => x + y);
  await using admin = await serveAdmin(a, { port: 0, token });
  const at = ["--admin", admin.address, "--token-file", `${desk.folder}/token`];

  const { hostname, port } = firstOf(b.spec.addresses);
  const watching = desk.run("watch", "--count", "1", ...at);
  assertEquals(await desk.json("join", `${hostname}:${port}`, ...at), { members: ["a", "b"] });
  assertEquals(await desk.json("call", "b", "adder", '{"x":1,"y":2}', ...at), 3);
  assertEquals((await desk.run("cast", "b", "log", '"hello"', "--ack", ...at)).stdout, "handled\n");
  assertEquals((await desk.run("publish", "log", "[1]", ...at)).stdout, "sent to 2 nodes\n");
  assertEquals(heard[0], "hello");
  assertEquals((await desk.run("call", "z", "adder", "1", ...at)).code, 3);
  assertEquals((await desk.run("call", "b", "adder", "hello", ...at)).code, 2);
  assertEquals((await desk.run("members", "--admin", admin.address)).code, 4, "without the token");
  const { code, stdout } = await watching;
  assertEquals(code, 0);
  assert(stdout.length > 0);
});

Deno.test({
  name: "a node drains at SIGTERM, and reads its secrets anew at SIGHUP; flags go before the environment and the file",
  ignore: !isUnix,
  fn: async () => {
    await using desk = new Desk();
    const secret = `${desk.folder}/secret`;
    await Deno.writeTextFile(secret, "a secret that is long enough\n");
    const config = { name: "ignored", cluster: "blue", secretFile: secret, channels: { bulk: { parallelism: 2 } } };
    await Deno.writeTextFile(`${desk.folder}/config.json`, JSON.stringify(config));
    const options = ["--config", `${desk.folder}/config.json`, "--preset", "local"];
    const a = await desk.start("--name", "a", ...options);
    const b = await desk.start("--name", "b", "--join", a.address, ...options);
    const at = ["--admin", `${desk.folder}/partisan/a.sock`];
    await desk.members(2, ...at);
    const { channels } = await desk.json("info", ...at) as { channels: Record<string, { parallelism: number }> };
    assertEquals(channels["bulk"]?.parallelism, 2);

    await Deno.writeTextFile(secret, "another secret that is long\na secret that is long enough\n");
    b.process.kill("SIGHUP");
    await desk.json("keys", "reload", ...at);
    while (((await desk.json("keys", ...at)) as { former: number }).former > 0);
    b.process.kill("SIGTERM");
    assertEquals((await b.process.status).code, 0);
    assertEquals(await desk.members(1, ...at), ["a"], "b has left: it is not a member that is down");

    await Deno.writeTextFile(`${desk.folder}/config.json`, '{"chanels":{}}');
    const wrong = await desk.run("start", ...options);
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, 'Unknown option "chanels"');
    assertEquals((await desk.run("start", "--admin", "127.0.0.1:0")).code, 2, "TCP without a token");
  },
});

/** Deno's runtime for executables, where it was fetched before: tests fetch nothing. */
const compileRuntime: string | undefined = await (async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string };
  const cached = `${denoDir}/dl/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  return [Deno.env.get("DENORT_BIN"), cached].find((path) => path !== undefined && isFile(path));
})();

/** Sees that a program is the command: it helps, starts a node, and asks it. */
async function isTheCommand(desk: Desk): Promise<void> {
  const { code, stdout } = await desk.run("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "partisan COMMAND --help tells more");
  if (!isUnix) return;
  await desk.start("--name", "a");
  assertEquals(await desk.members(1), ["a"]);
}

Deno.test("the bundle of the command runs as the command does", async () => {
  await using desk = new Desk();
  const bundle = `${desk.folder}/partisan.js`;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: ["bundle", "-q", "-o", bundle, MAIN] })
    .output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  desk.program = programOf(bundle);
  await isTheCommand(desk);
});

Deno.test({
  name: `the executable of "deno task compile" runs as the command does${
    compileRuntime === undefined ? " (ignored: Deno's runtime for executables was not fetched)" : ""
  }`,
  ignore: compileRuntime === undefined,
  fn: async () => {
    await using desk = new Desk();
    const file = `${desk.folder}/partisan`;
    const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
    const args = tasks.compile.command.split(" ").slice(1)
      .map((word: string) => ({ "dist/partisan": file, "cli/main.ts": MAIN })[word] ?? word);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    desk.program = [file];
    await isTheCommand(desk);
  },
});

unixTest("every command that asks a node prints JSON where that is asked for", async (desk) => {
  const a = await desk.start("--name", "a", "--preset", "local");
  const b = await desk.start("--name", "b", "--preset", "local", "--json");
  const started = JSON.parse(b.line);
  const [of, at] = forEachOf(["b", "a"], (name) => ["--admin", `${desk.folder}/partisan/${name}.sock`]);
  assertEquals(started, { name: "b", addresses: [started.addresses[0]], admin: of[1], http: null });
  assertEquals(await desk.json("join", a.address, ...of), { members: ["a", "b"] });
  await desk.members(2, ...at);
  const kinds = async (...args: string[]) => Object.keys(await desk.json(...args) as object);
  assertEquals(await kinds("ping", "b", ...at), ["node", "roundTrip"]);
  assertEquals((await kinds("info", "b", ...at)).includes("connections"), true);
  assertEquals((await kinds("stats", ...at)).includes("peers"), true);
  assertEquals(await kinds("top", "--count", "1", ...at), ["at", "node", "members", "messages"]);
  assertEquals(await desk.json("cast", "b", "log", "1", ...at), { handled: false });
  assertEquals(await desk.json("publish", "log", "1", ...at), { nodes: 2 });
  assertEquals(await desk.json("publish", "workers", "1", "--group", ...at), { members: 0 });
  assertEquals((await desk.run("call", "b", "adder", "1", ...at)).code, 1, "there is no such handler");
  assertEquals(await desk.json("remove", "b", ...at), { members: ["a"] });
  assertEquals(await desk.json("leave", ...at), { members: ["a"] });
  assertEquals(await desk.json("drain", ...at), { drained: "a" });
  const authority = await desk.json("tls", "ca", "--out", `${desk.folder}/ca`);
  assertEquals(authority, { files: ["key", "crt"].map((end) => `${desk.folder}/ca/ca.${end}`) });
});

Deno.test({
  name: "bash completes commands, options and their values",
  ignore: !await isInstalled("bash"),
  fn: async () => {
    await using desk = new Desk();
    const { stdout } = await desk.run("completions", "bash");
    const complete = async (...words: string[]) => {
      const script = `${stdout}\nCOMP_WORDS=(partisan ${words.map((word) => `'${word}'`).join(" ")}); ` +
        `COMP_CWORD=${words.length}; _partisan; echo "\${COMPREPLY[*]}"`;
      const { stdout: answer } = await new Deno.Command("bash", { args: ["-c", script] }).output();
      return new TextDecoder().decode(answer).trim();
    };
    assertEquals(await complete("dra"), "drain");
    assertEquals(await complete("keys", "re"), "reload");
    assertEquals(await complete("members", "--st"), "--status");
    assertEquals(await complete("start", "--preset", "l"), "local lan");
    assertEquals((await desk.run("completions", "tcsh")).code, 2);
  },
});

Deno.test({
  name: "fish completes commands, options and their values",
  ignore: !await isInstalled("fish"),
  fn: async () => {
    await using desk = new Desk();
    const { stdout } = await desk.run("completions", "fish");
    const complete = async (line: string) => {
      const script = `${stdout}\ncomplete --do-complete '${line}'`;
      const options = { args: ["--no-config", "-c", script], env: { HOME: desk.folder } };
      const { stdout: answer } = await new Deno.Command("fish", options).output();
      // Each is followed by what it means.
      return new TextDecoder().decode(answer).trim().split("\n").map((each) => each.split("\t")[0]);
    };
    assertEquals(await complete("partisan dra"), ["drain"]);
    assertEquals(await complete("partisan keys re"), ["reload"]);
    assertEquals(await complete("partisan members --st"), ["--status"]);
    assertEquals(await complete("partisan start --preset l"), ["lan", "local"]);
  },
});
