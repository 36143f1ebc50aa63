// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { HandlerOptions, MessageHandler } from "../messaging/registry.ts";
import { ConnectionApi } from "./connection_api.ts";

/** Named handlers on this node. */
export class HandlerApi extends ConnectionApi {
  /**
   * Gives a handler a name, under which every node of the cluster can send it messages.
   *
   * @param options Whether it borrows the bytes of its messages; it does not unless told so.
   * @throws {TypeError} When the name is empty or too long, the handler is no function, or `borrow` no boolean.
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
   *
   * @example Add up large messages where they were read, and keep none of them
   * ```ts
   * import { startPeerService } from "@partisan/peer-service";
   * import { assertEquals } from "@std/assert";
   *
   * await using a = await startPeerService({ name: "a" });
   * await using b = await startPeerService({ name: "b" });
   * await a.syncJoin(b.spec);
   * const sum = Promise.withResolvers<number>();
   * b.register("sum", (bytes: Uint8Array) => sum.resolve(bytes.reduce((x, y) => x + y)), { borrow: true });
   *
   * a.castMessage("b", "sum", new Uint8Array(1_000_000).fill(1));
   * assertEquals(await sum.promise, 1_000_000);
   * ```
   */
  register(name: string, handler: MessageHandler, options?: HandlerOptions): void {
    this.node.messaging.registry.register(name, handler, options);
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
