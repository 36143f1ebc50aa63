// Copyright 2026 the Partisan peer-service authors. MIT license.

import { RecentMap } from "../runtime/recent_map.ts";
import { CHECKED_ELSEWHERE, checkKind, checkOptions, type OptionKinds, STRING } from "../runtime/options.ts";
import { shown, typeName } from "../runtime/type_name.ts";
import { isStandardSchema, type StandardSchema, withSchema } from "./standard_schema.ts";
import { Workload } from "./workload.ts";

/** Context of a message that its handler is given. */
export interface MessageContext {
  /** Name of the node that sent it. */
  readonly from: string;
  /** Channel that it came over. */
  readonly channel: string;
  /** Whether it was cast: its sender does not wait for anything. */
  readonly cast: boolean;
  /**
   * Aborted when there is no use in going on. For a call: the caller has given it up, its time is over, or the caller went down. For any other
   * message: its sender went down. For all of them: this node stops. It costs nothing unless it is read.
   */
  readonly signal: AbortSignal;
  /** Of a broadcast: milliseconds since it was sent, as far as nodes held it; the time on the wire is not in it. */
  readonly age?: number;
  /** Of a broadcast: whether it did not come along the tree but when two nodes compared what they have: maybe late. */
  readonly repaired?: boolean;
}

/**
 * Takes the messages that are sent to a name. Its result, also of a promise, is the reply when the message is a call. An error that it
 * throws becomes an `error` event here, and the rejection of the call there.
 */
// deno-lint-ignore no-explicit-any -- the sender decides what a message is; a handler states what it expects
export type MessageHandler = (message: any, context: MessageContext) => unknown;

/**
 * Takes messages that are bytes where they were read: in `buffer`, from `start` up to but not including `end`. Its result and its errors mean
 * the same as those of any other handler.
 */
export type RangeHandler = (buffer: Uint8Array, start: number, end: number, context: MessageContext) => unknown;

/**
 * Options of a handler of messages that are bytes and are lent to it, without a view of them; see {@linkcode
 * HandlerOptions.borrow}.
 */
export interface RangeHandlerOptions {
  /** The handler is given the buffer, and where in it the message is. It must not look at anything else in it. */
  readonly borrow: "range";
  /**
   * Maximum of pending promises of the handler; see {@linkcode HandlerOptions.concurrency}.
   *
   * @default {as many as `maxInflight` of the node}
   */
  readonly concurrency?: number | undefined;
}

/** Options of a handler. */
export interface HandlerOptions {
  /**
   * Whether the bytes in plain messages are only lent to the handler: they are valid until it returns, and not across an `await`. What
   * it keeps or passes on it has to copy. In return the memory that they were read into is used again, which spares large messages
   * half of what they cost. Messages with guarantees are given for good all the same, and so is everything while interposition
   * functions are registered. (`borrow: "range"` spares even the view of the bytes; see {@linkcode RangeHandlerOptions}.)
   *
   * @default {false}
   */
  readonly borrow?: boolean;
  /**
   * Maximum of pending promises of the handler, 1 or more. Beyond it, a call rejects with `OverloadedError`, an acknowledged
   * message is repeated later, and any other message waits: the connection that it came over is not read until there is room.
   *
   * @default {as many as `maxInflight` of the node}
   */
  readonly concurrency?: number | undefined;
  /**
   * Schema that messages must fit: any schema that keeps to [Standard Schema](https://standardschema.dev). The handler is given
   * what the schema makes of a message. A message that does not fit never reaches it: a call rejects with `CallError`, which
   * holds what is wrong.
   *
   * @default {none: the handler is given everything}
   */
  readonly schema?: StandardSchema | undefined;
}

/** A handler, and how it takes its messages. */
export interface RegisteredHandler {
  readonly take: MessageHandler;
  /** Takes bytes where they are, if it can. */
  readonly takeRange: RangeHandler | undefined;
  /** Whether it is content to borrow the bytes of its messages. */
  readonly isBorrowing: boolean;
}

/** A handler of either kind. */
export type AnyHandler = MessageHandler | RangeHandler;

/** The options of a handler of either kind. */
export type AnyHandlerOptions = Omit<HandlerOptions, "borrow"> & { readonly borrow?: boolean | "range" };

const OPTIONS: OptionKinds<AnyHandlerOptions> = {
  borrow: CHECKED_ELSEWHERE,
  concurrency: CHECKED_ELSEWHERE,
  schema: CHECKED_ELSEWHERE,
};

/** The name of the manager itself among the handlers; no user can register it. */
export const MANAGER_NAME = "";

/** The named handlers of a node. */
export class Registry {
  readonly #handlers: Map<string, RegisteredHandler> = new RecentMap();
  #revision = 0;
  readonly #unregistered: (name: string) => void;
  /** Workload of the handlers. */
  readonly workload: Workload;

  /**
   * Begins with the manager alone.
   *
   * @param manager Takes the messages to the manager itself.
   * @param unregistered Called when a name loses its handler.
   * @param inflightMax Most promises of handlers that may be pending.
   */
  constructor(manager: MessageHandler, unregistered: (name: string) => void, inflightMax = 10_000) {
    this.workload = new Workload(inflightMax);
    this.#handlers.set(MANAGER_NAME, { take: manager, takeRange: undefined, isBorrowing: false });
    this.#unregistered = unregistered;
  }

  /**
   * Gives a handler a name.
   *
   * @throws {TypeError} When the name is empty or longer than 255 UTF-16 code units, or the handler is no function, or `borrow` neither a boolean nor `"range"`, or
   *   that with a `schema`.
   * @throws {RangeError} When the name is taken, or `concurrency` no integer of 1 or more.
   */
  register(name: string, handler: MessageHandler, options?: HandlerOptions): void;
  register(name: string, handler: AnyHandler, options?: AnyHandlerOptions): void;
  register(
    name: string,
    handler: AnyHandler,
    options?: AnyHandlerOptions,
  ): void {
    if (typeof name !== "string" || name === "" || name.length > 255 || name.startsWith("\0")) {
      const given = typeof name === "string" ? `"${name}"` : typeName(name);
      throw new TypeError(`Cannot register ${given}: a name has 1 to 255 characters, and does not begin with NUL`);
    }
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot register "${name}": the handler is ${typeof handler}, expected a function`);
    }
    const { borrow = false, concurrency, schema } = checkOptions(`Cannot register "${name}"`, options, OPTIONS);
    if (typeof borrow !== "boolean" && borrow !== "range") {
      const given = typeof borrow === "string" ? JSON.stringify(borrow) : typeof borrow;
      throw new TypeError(`Cannot register "${name}": the option "borrow" is ${given}, expected a boolean or "range"`);
    }
    if (borrow === "range" && schema !== undefined) {
      throw new TypeError(
        `Cannot register "${name}": a handler of ranges takes bytes as they are, so leave out "schema"`,
      );
    }
    if (concurrency !== undefined && !(Number.isSafeInteger(concurrency) && concurrency >= 1)) {
      throw new RangeError(
        `Cannot register "${name}": "concurrency" is ${shown(concurrency)}, expected an integer of 1 or more`,
      );
    }
    if (schema !== undefined && !isStandardSchema(schema)) {
      throw new TypeError(
        `Cannot register "${name}": the schema has no "~standard" property, so it is no Standard Schema`,
      );
    }
    if (this.#handlers.has(name)) {
      throw new RangeError(`Cannot register "${name}": the name is taken; unregister it first`);
    }
    this.#set(name, registeredHandler(name, handler, borrow, schema));
    if (concurrency !== undefined) this.workload.bound(name, concurrency);
  }

  /** Gives a handler of ours a name that no user can register: one that begins with NUL. */
  reserve(name: string, handler: MessageHandler): void {
    this.#set(name, { take: handler, takeRange: undefined, isBorrowing: false });
  }

  /** Takes a name back. @returns Whether it was registered. */
  unregister(name: string): boolean {
    checkKind("Cannot unregister", "the name", name, STRING);
    const known = name !== MANAGER_NAME && !name.startsWith("\0") && this.#handlers.delete(name);
    if (known) {
      this.#revision++;
      this.workload.bound(name, undefined);
      this.#unregistered(name);
    }
    return known;
  }

  /** Names that users have registered. */
  get names(): string[] {
    return [...this.#handlers.keys()].filter((name) => name !== MANAGER_NAME && !name.startsWith("\0"));
  }

  /** The handler behind a name. */
  whereis(name: string): MessageHandler | undefined {
    return this.#handlers.get(name)?.take;
  }

  /** Handler that is registered under a name. It is the same as long as {@linkcode Registry.revision} is. */
  find(name: string): RegisteredHandler | undefined {
    return this.#handlers.get(name);
  }

  /** Counts the changes of what is registered. */
  get revision(): number {
    return this.#revision;
  }

  #set(name: string, registered: RegisteredHandler): void {
    this.#handlers.set(name, registered);
    this.#revision++;
  }
}

function registeredHandler(
  name: string,
  handler: AnyHandler,
  borrow: boolean | "range",
  schema: StandardSchema | undefined,
): RegisteredHandler {
  if (borrow === "range") {
    const takeRange = handler as RangeHandler;
    return { take: withRange(name, takeRange), takeRange, isBorrowing: true };
  }
  const plain = handler as MessageHandler;
  const take = schema === undefined ? plain : withSchema(name, plain, schema);
  return { take, takeRange: undefined, isBorrowing: borrow };
}

/** Hands a message that came by any other way to a handler of ranges. */
function withRange(name: string, takeRange: RangeHandler): MessageHandler {
  return (message, context) => {
    if (message instanceof Uint8Array) return takeRange(message, 0, message.length, context);
    throw new TypeError(`Cannot take a message to "${name}": it is ${kindOf(message)}, expected bytes`);
  };
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}
