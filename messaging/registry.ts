// Copyright 2026 the Partisan peer-service authors. MIT license.

/** What a handler is told about a message besides the message itself. */
export interface MessageContext {
  /** Name of the node that sent it. */
  readonly from: string;
  /** Channel that it came over. */
  readonly channel: string;
  /** Whether it was cast: its sender does not wait for anything. */
  readonly cast: boolean;
}

/**
 * Takes the messages that are sent to a name. What it returns, or resolves to, is the reply when the message is a call. What it
 * throws becomes an `error` event here, and the rejection of the call there.
 */
// deno-lint-ignore no-explicit-any -- the sender decides what a message is; a handler states what it expects
export type MessageHandler = (message: any, context: MessageContext) => unknown;

/** The name of the manager itself among the handlers; no user can register it. */
export const MANAGER_NAME = "";

/** The named handlers of a node. */
export class Registry {
  readonly #handlers = new Map<string, MessageHandler>();
  readonly #unregistered: (name: string) => void;

  /**
   * Begins with the manager alone.
   *
   * @param manager Takes the messages to the manager itself.
   * @param unregistered Called when a name loses its handler.
   */
  constructor(manager: MessageHandler, unregistered: (name: string) => void) {
    this.#handlers.set(MANAGER_NAME, manager);
    this.#unregistered = unregistered;
  }

  /**
   * Gives a handler a name.
   *
   * @throws {TypeError} When the name is empty or longer than 255 UTF-16 code units, or the handler is no function.
   * @throws {RangeError} When the name is taken.
   */
  register(name: string, handler: MessageHandler): void {
    if (typeof name !== "string" || name === "" || name.length > 255 || name.startsWith("\0")) {
      throw new TypeError(`Cannot register "${name}": a name has 1 to 255 characters, and does not begin with NUL`);
    }
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot register "${name}": the handler is ${typeof handler}, expected a function`);
    }
    if (this.#handlers.has(name)) {
      throw new RangeError(`Cannot register "${name}": the name is taken; unregister it first`);
    }
    this.#handlers.set(name, handler);
  }

  /** Gives a handler of ours a name that no user can register: one that begins with NUL. */
  reserve(name: string, handler: MessageHandler): void {
    this.#handlers.set(name, handler);
  }

  /** Takes a name back. @returns Whether it was registered. */
  unregister(name: string): boolean {
    const known = name !== MANAGER_NAME && !name.startsWith("\0") && this.#handlers.delete(name);
    if (known) this.#unregistered(name);
    return known;
  }

  /** The handler behind a name. */
  whereis(name: string): MessageHandler | undefined {
    return this.#handlers.get(name);
  }
}
