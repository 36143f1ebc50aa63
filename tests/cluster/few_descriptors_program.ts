// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that tells what came of it.

/**
 * A node in a process with few file descriptors. It joins a cluster that needs more of them, waits until it is connected with as many others
 * as it was told, completely with each, and prints what it was warned of.
 *
 * @module
 */

import { startPeerService } from "../../mod.ts";

const [name, contact, count] = Deno.args as [string, string, string];
// Deno panics when it sets up its first listener while the process has no file descriptor left.
Deno.addSignalListener("SIGTERM", () => Deno.exit(1));
const node = await startPeerService({ name, preset: "local", log: false });
const warnings: string[] = [];
node.addEventListener("warning", ({ detail }) => warnings.push(detail.code));
await node.join(contact);
const isDone = () => {
  const connected = node.connected();
  return connected.length >= Number(count) && warnings.includes("too-few-descriptors") &&
    connected.every((other) => node.isFullyConnected(other));
};
const until = performance.now() + 30_000;
while (!isDone() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(JSON.stringify(isDone() ? warnings : [...warnings, `connected with ${node.connected()}`]));
Deno.exit(0);
