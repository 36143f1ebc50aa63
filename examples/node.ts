// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Common part of the programs in this folder: a node as the command line says, which is drained when the program is to end.
 *
 * @module
 */

import { type PeerServiceManager, startPeerService } from "@partisan/peer-service";

/** Value that follows a flag on the command line. */
export function flag(name: string): string | undefined {
  const at = Deno.args.indexOf(`--${name}`);
  return at === -1 ? undefined : Deno.args[at + 1];
}

/** Starts a node: `--listen HOST:PORT` says where, `--join HOST:PORT` where another one is. SIGTERM and SIGINT drain it, and end the program. */
export async function startNode(): Promise<PeerServiceManager> {
  const [name, join] = [flag("name"), flag("join")];
  const node = await startPeerService({ listen: flag("listen") ?? "127.0.0.1:0", ...(name !== undefined && { name }) });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, async () => {
      await node.drain({ timeout: 10_000 });
      Deno.exit(0);
    });
  }
  const [{ hostname, port } = { hostname: "nowhere", port: 0 }] = node.spec.addresses;
  console.log(`"${node.name}" listens on ${hostname}:${port}`);
  if (join !== undefined) await node.syncJoin(join, { signal: AbortSignal.timeout(10_000) });
  return node;
}
