// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageContext, RegisteredHandler, Registry } from "./registry.ts";

/** The two contexts that plain messages of a connection have. */
export interface ConnectionContexts {
  readonly cast: MessageContext;
  readonly forward: MessageContext;
}

/** A handler's name that the other side of a connection has numbered, and what was found under it: a message of that number needs no look-up by name. */
export class NumberedHandler {
  /** The handler's name. */
  readonly name: string;
  /** The contexts of its messages, once there was one. */
  contexts: ConnectionContexts | undefined;
  #found: RegisteredHandler | undefined;
  #revision = -1;

  constructor(name: string) {
    this.name = name;
  }

  /** Handler that is registered under the name now. */
  in(registry: Registry): RegisteredHandler | undefined {
    if (this.#revision !== registry.revision) {
      this.#found = registry.find(this.name);
      this.#revision = registry.revision;
    }
    return this.#found;
  }
}
