// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals } from "@std/assert";
import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import { formatAddress } from "../../wire/address.ts";
import { firstOf } from "../values.ts";

const PROGRAM = new URL("few_descriptors_program.ts", import.meta.url).pathname;

/** Nodes in this process that are all connected with each other. */
async function cluster(stack: AsyncDisposableStack, size: number): Promise<PeerServiceManager[]> {
  const nodes: PeerServiceManager[] = [];
  for (let index = 0; index < size; index++) {
    const node = stack.use(await startPeerService({ name: `n${index + 10}`, preset: "local", log: false }));
    if (index > 0) await node.syncJoin(firstOf(nodes).spec);
    nodes.push(node);
  }
  return nodes;
}

for (const [name, does] of [["a", "dials the others"], ["z", "is dialed by the others"]] as const) {
  Deno.test({
    name:
      `A node that ${does} with 44 file descriptors completes its connections with some, and says once that they are too few`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using stack = new AsyncDisposableStack();
      const nodes = await cluster(stack, 30);
      const contact = formatAddress(firstOf(firstOf(nodes).spec.addresses));
      const command = new Deno.Command("sh", {
        args: ["-c", 'ulimit -n 44 && exec "$0" run --no-check -A "$@"', Deno.execPath(), PROGRAM, name, contact, "12"],
        stdout: "piped",
        stderr: "null",
      });
      const { stdout } = await command.output();
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), ["too-few-descriptors"]);
    },
  });
}
