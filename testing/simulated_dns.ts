// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Discovery } from "../manager/discovery.ts";
import { abortable } from "../runtime/abortable.ts";

/**
 * A domain name system for simulated nodes: names whose addresses change, are not there, or get no answer, for testing what a program does about it.
 * The counterpart of `dns` in `@partisan/peer-service/discovery`.
 *
 * @example A node that finds another one by name, once the name server is well again
 * ```ts
 * import { SimulatedCluster, SimulatedDns } from "@partisan/peer-service/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const names = new SimulatedDns();
 * names.set("peers", ["a", "b"]);
 * names.fail("peers", new Error("server failure"));
 * await using cluster = new SimulatedCluster({
 *   options: { discovery: names.discovery("peers", { port: 9_090 }) },
 * });
 * for (const name of ["a", "b"]) await cluster.startNode(name, { join: false });
 * await cluster.advance(1_000);
 * assertEquals(cluster.node("a").members(), ["a"]);
 *
 * names.recover("peers");
 * await cluster.settled();
 * assertEquals(cluster.node("b").members(), ["a", "b"]);
 * ```
 */
export class SimulatedDns {
  readonly #records = new Map<string, readonly string[]>();
  readonly #failures = new Map<string, Error | "mute">();

  /** Gives a name these hosts, in place of those before. An empty list takes it away. */
  set(name: string, hostnames: readonly string[]): void {
    if (hostnames.length === 0) this.#records.delete(name);
    else this.#records.set(name, [...hostnames]);
  }

  /** From now on, look-ups of a name fail with an error, or get no answer at all. */
  fail(name: string, error: Error | "mute"): void {
    this.#failures.set(name, error);
  }

  /** Look-ups of a name get their answer again. */
  recover(name: string): void {
    this.#failures.delete(name);
  }

  /** A source of addresses: all hosts of a name. A name that is not there is a failed look-up. */
  discovery(name: string, { port }: { readonly port: number }): Discovery {
    return {
      name: `simulated dns ${name}`,
      lookup: async (signal) => {
        const failure = this.#failures.get(name);
        if (failure === "mute") return await abortable(new Promise<never>(() => {}), signal);
        if (failure instanceof Error) throw failure;
        const hostnames = this.#records.get(name);
        if (hostnames === undefined) throw new Error(`Cannot look up "${name}": there is no such name`);
        return hostnames.map((hostname) => ({ hostname, port }));
      },
    };
  }
}
