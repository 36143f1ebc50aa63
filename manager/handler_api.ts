// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageHandler } from "../messaging/registry.ts";
import { ConnectionApi } from "./connection_api.ts";

/** Named handlers on this node. */
export class HandlerApi extends ConnectionApi {
  /**
   * Gives a handler a name, under which every node of the cluster can send it messages.
   *
   * @throws {TypeError} When the name is empty or too long, or the handler is no function.
   * @throws {RangeError} When the name is taken.
   *
   * @example Keep a count
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * let count = 0;
   * node.register("counter", ({ add }: { add: number }) => count += add);
   *
   * assertEquals(await node.call("a", "counter", { add: 2 }), 2);
   * assertEquals(await node.call("a", "counter", { add: 3 }), 5);
   * ```
   */
  register(name: string, handler: MessageHandler): void {
    this.node.messaging.registry.register(name, handler);
  }

  /**
   * Takes a handler's name back.
   *
   * @returns Whether it was registered.
   *
   * @example Make room for another handler
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assert, assertFalse } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * node.register("echo", (message) => message);
   *
   * assert(node.unregister("echo"));
   * assertFalse(node.unregister("echo"));
   * ```
   */
  unregister(name: string): boolean {
    return this.node.messaging.registry.unregister(name);
  }

  /**
   * The handler behind a name on this node.
   *
   * @example Look for a handler
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertStrictEquals } from "@std/assert";
   *
   * await using node = await startPeerService({ name: "a" });
   * const echo = (message: unknown) => message;
   * node.register("echo", echo);
   *
   * assertStrictEquals(node.whereis("echo"), echo);
   * assertStrictEquals(node.whereis("nobody"), undefined);
   * ```
   */
  whereis(name: string): MessageHandler | undefined {
    return this.node.messaging.registry.whereis(name);
  }
}
