// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import type { FullMeshOptions } from "./full_mesh.ts";
import { PartialMesh } from "./partial_mesh.ts";
import type { Strategy } from "./strategy.ts";

/**
 * The strategy in which clients keep connections with all servers, and servers among themselves, too. Everyone knows everyone; a
 * message from one client to another takes the way over a server (`transitive`).
 *
 * A node is a client when its metadata say `{ tag: "client" }`; any other is a server.
 *
 * @param options Amount of gossip, and time to remember departures: as in a full mesh.
 * @returns The strategy.
 * @throws {TypeError} When an option has another kind of value, or a name that is not known.
 * @throws {RangeError} When an option is out of range.
 *
 * @example Two clients and a server
 * ```ts
 * import { clientServer } from "@partisan/peer-service/strategy";
 * import { StrategySimulator } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const cluster = new StrategySimulator(clientServer(), {
 *   metadata: (name) => ({ tag: name === "hub" ? "server" : "client" }),
 * });
 * cluster.start("hub");
 * cluster.start("ann", { join: "hub" });
 * cluster.start("bob", { join: "hub" });
 * cluster.run(5_000);
 *
 * assertEquals(cluster.peers("ann"), ["hub"]);
 * assertEquals(cluster.peers("hub"), ["ann", "bob"]);
 * assertEquals(cluster.members("ann"), ["ann", "bob", "hub"]);
 * ```
 */
export function clientServer(options: FullMeshOptions = {}): Strategy {
  return new PartialMesh("client-server", options, (self) => (peer) => !isClient(self) || !isClient(peer));
}

function isClient({ metadata }: NodeSpec): boolean {
  return metadata.tag === "client";
}
