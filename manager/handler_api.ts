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
   */
  register(name: string, handler: MessageHandler): void {
    this.node.messaging.registry.register(name, handler);
  }

  /** Takes a handler's name back. @returns Whether it was registered. */
  unregister(name: string): boolean {
    return this.node.messaging.registry.unregister(name);
  }

  /** The handler behind a name on this node. */
  whereis(name: string): MessageHandler | undefined {
    return this.node.messaging.registry.whereis(name);
  }
}
