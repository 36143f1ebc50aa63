// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Configuration that every node has, and that any node may change while all of them run.
 *
 * @module
 */

import { fileStore, type PeerServiceManager } from "@partisan/peer-service";
import { SharedMap, type SharedMapOptions } from "@partisan/peer-service/groups";
import { flag, startNode } from "./node.ts";

/** Settings by name, and what they are where they are not set. */
export class Config {
  readonly map: SharedMap<unknown>;

  constructor(node: PeerServiceManager, options: SharedMapOptions<unknown> = {}) {
    this.map = new SharedMap(node, "config", options);
  }

  /** The value of a setting, of the type of `fallback`; that itself where no other one is set, or one of another type. */
  get<T extends string | number | boolean>(name: string, fallback: T): T {
    const value = this.map.get(name);
    return typeof value === typeof fallback ? value as T : fallback;
  }

  /** Has a function called with the value now, and whenever it changes. Ends with the node. */
  async follow<T extends string | number | boolean>(name: string, fallback: T, use: (value: T) => void): Promise<void> {
    const changes = this.map.watch();
    use(this.get(name, fallback));
    for await (const { key } of changes) if (key === name) use(this.get(name, fallback));
  }
}

if (import.meta.main) {
  const node = await startNode();
  const path = flag("store");
  const config = new Config(node, path === undefined ? {} : { store: fileStore(path) });
  await config.map.ready;
  const [, setting, value] = /^([^=]+)=(.*)$/.exec(flag("set") ?? "") ?? [];
  if (setting !== undefined && value !== undefined) config.map.set(setting, Number(value));
  console.log("config", Object.fromEntries(config.map.entries()));
  await config.follow("limit", 100, (limit) => console.log(`the limit is ${limit}`));
}
