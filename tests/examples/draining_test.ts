// Copyright 2026 the Partisan peer-service authors. MIT license.

import { startPeerService } from "@partisan/peer-service";
import { assertEquals } from "@std/assert";
import { readLines } from "../../cli/protocol.ts";

const ROOT = new URL("../../", import.meta.url);
const IMPORTS = new URL("tests/offline/import_map.json", ROOT).pathname;
/** Programs that run until they are told to end. */
const SERVICES = [["chat"], ["config_map"], ["cron"], ["rate_limiter"], ["work_queue", "--worker"]] as const;

Deno.test("Every example that is a service drains its node, whatever runs it", async () => {
  for (const [name] of SERVICES) {
    const text = await Deno.readTextFile(new URL(`examples/${name}.ts`, ROOT));
    assertEquals(text.includes("await startNode()"), true, name);
  }
});

Deno.test({
  name: "An example that is sent SIGTERM ends with 0, and others see that it leaves before its connections close",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using node = await startPeerService({ name: "a", listen: "127.0.0.1:0" });
    const events: string[] = [];
    const ended = Promise.withResolvers<void>();
    const joined = Promise.withResolvers<void>();
    for (const type of ["join", "up", "leave", "down"] as const) {
      node.addEventListener(type, ({ detail }) => {
        if (detail.node !== "b" || ("channel" in detail && detail.channel !== undefined)) return;
        events.push(type);
        if (type === "down") ended.resolve();
      });
    }
    const [{ hostname, port } = { hostname: "", port: 0 }] = node.spec.addresses;
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-config", `--import-map=${IMPORTS}`, "-A", "examples/config_map.ts"]
        .concat(["--name", "b", "--join", `${hostname}:${port}`]),
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reading = (async () => {
      // The program says so when it has joined and follows the map.
      for await (const line of readLines(process.stdout)) if (line.startsWith("the limit is")) joined.resolve();
    })();
    await joined.promise;
    process.kill("SIGTERM");
    assertEquals((await process.status).code, 0);
    await reading;
    await ended.promise;
    assertEquals(events.slice(-2), ["leave", "down"]);
    assertEquals(events.filter((type) => type === "down").length, 1);
    assertEquals(node.members(), ["a"]);
  },
});
