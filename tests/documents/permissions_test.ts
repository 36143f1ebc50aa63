// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Runs programs with the permissions that the documentation names, and no others. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { readLines } from "../../cli/protocol.ts";
import { lastOf } from "../values.ts";

const PROGRAM = new URL("permissions_program.ts", import.meta.url).href;
const MAIN = new URL("../../cli/main.ts", import.meta.url).href;

/** Runs a program with some flags. @returns Last line of its output; where it failed, what it said of that. */
async function outcome(
  flags: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--quiet", ...flags, ...args],
    env,
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(success ? stdout : stderr).trim();
  return success ? lastOf(text.split("\n")) : text;
}

/** Runs what needs a folder, with the permissions for that. */
async function withFolder(test: (folder: string, access: readonly string[]) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await test(folder, [`--allow-read=${folder}`, `--allow-write=${folder}`]);
  await Deno.remove(folder, { recursive: true });
}

Deno.test("README.md: a cluster with a secret, groups, health and telemetry runs with --allow-net alone", async () => {
  assertEquals(await outcome(["--allow-net"], [PROGRAM, "cluster"]), "done");
  assertStringIncludes(await outcome([], [PROGRAM, "cluster"]), "--allow-net");
});

Deno.test("docs/persistence.md: fileStore() needs to read and write its folder", async () => {
  await withFolder(async (folder, access) => {
    assertEquals(await outcome(["--allow-net", ...access], [PROGRAM, "store", folder]), "done");
    assertStringIncludes(await outcome(["--allow-net"], [PROGRAM, "store", folder]), "--allow-write");
  });
});

Deno.test("docs/discovery.md: file() needs to read the folder of its file", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/nodes`, "");
    const flags = ["--allow-net", `--allow-read=${folder}`];
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--quiet", ...flags, PROGRAM, "discovery", folder],
      stdout: "piped",
      stderr: "inherit",
    });
    await using node = command.spawn();
    const lines = readLines(node.stdout);
    const { value: address } = await lines.next();
    await Deno.writeTextFile(`${folder}/nodes`, address ?? "");
    assertEquals((await lines.next()).value, "done");
  });
});

Deno.test("serveAdmin() needs what its documentation says", async () => {
  await withFolder(async (folder, access) => {
    const flags = ["--allow-net", "--allow-sys=uid", ...access];
    assertEquals(await outcome(flags, [PROGRAM, "adminAtPath", folder]), "done");
    const env = { XDG_RUNTIME_DIR: folder };
    assertEquals(await outcome([...flags, "--allow-env=XDG_RUNTIME_DIR"], [PROGRAM, "admin"], env), "done");
  });
});

Deno.test("docs/command.md: a node without admin endpoint and files needs --allow-env and --allow-net, and completions nothing", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--quiet",
      "--allow-env",
      "--allow-net",
      MAIN,
      "start",
      "--admin",
      "none",
    ],
    stdout: "piped",
    stderr: "null",
  });
  await using node = command.spawn();
  const lines = readLines(node.stdout);
  assertStringIncludes((await lines.next()).value ?? "", "listens on 127.0.0.1:");
  node.kill("SIGTERM");
  assertEquals((await node.status).code, 0);
  assertStringIncludes(await outcome([], [MAIN, "completions", "fish"]), "partisan");
});
