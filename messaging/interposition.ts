// Copyright 2026 the Partisan peer-service authors. MIT license.

/** A message on its way, as interposition functions see it. */
export interface InterposedMessage {
  /** Whether it is about to leave this node, or has just come in. */
  readonly type: "forward_message" | "receive_message";
  /** The other node: where it goes to, or comes from. */
  readonly node: string;
  /** The channel that it takes, or took. */
  readonly channel: string;
  /** The message. */
  readonly message: unknown;
}

/** Looks at a message before anything happens to it. */
export type PreInterpositionFun = (message: InterposedMessage) => void;

/** Decides about a message: returns it, another one in its place, `undefined` to drop it, or `delay(message)` to take it up again later. */
export type InterpositionFun = (message: InterposedMessage) => unknown;

/** Looks at what has become of a message: the one returned, `undefined` when it was dropped, or a {@linkcode DelayedMessage}. */
export type PostInterpositionFun = (message: InterposedMessage, result: unknown) => void;

/**
 * Result of {@linkcode delay}: a message, and the time to wait before it goes on.
 *
 * @example See what was put off
 * ```ts
 * import { delay, DelayedMessage, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * node.register("log", () => {});
 * const putOff: unknown[] = [];
 * node.addInterpositionFun("put off", ({ message }) => putOff.length === 0 ? delay(message) : message);
 * node.addPostInterpositionFun("see", (_message, result) => {
 *   if (result instanceof DelayedMessage) putOff.push(result.message);
 * });
 *
 * await node.forwardMessage("a", "log", "hello", { ack: true });
 * assertEquals(putOff, ["hello"]);
 * ```
 */
export class DelayedMessage {
  /** The message that goes on later. */
  readonly message: unknown;

  /** Use {@linkcode delay}. */
  constructor(message: unknown) {
    this.message = message;
  }
}

/**
 * Puts a message back to the end of the queue, from within an interposition function. It will pass the functions again.
 *
 * @param message The message that goes on later.
 * @returns Value that the interposition function has to return.
 *
 * @example Let every message be overtaken once
 * ```ts
 * import { delay, startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * const heard: unknown[] = [];
 * const both = Promise.withResolvers<void>();
 * node.register("log", (message) => heard.push(message) === 2 && both.resolve());
 * const delayed = new Set<unknown>();
 * node.addInterpositionFun("overtake", ({ type, message }) => {
 *   if (type === "receive_message" || message !== "first" || delayed.has(message)) return message;
 *   delayed.add(message);
 *   return delay(message);
 * });
 *
 * node.castMessage("a", "log", "first");
 * node.castMessage("a", "log", "second");
 * await both.promise;
 * assertEquals(heard, ["second", "first"]);
 * ```
 */
export function delay(message: unknown): DelayedMessage {
  return new DelayedMessage(message);
}

/** Functions by name, run in the order of their names. */
export class NamedFunctions<Fun> {
  #byName: ReadonlyMap<string, Fun> = new Map();
  readonly #changed: () => void;

  /** @param changed Called when one was added or taken away. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Number of them. */
  get size(): number {
    return this.#byName.size;
  }

  /** All of them; a copy. */
  all(): Map<string, Fun> {
    return new Map(this.#byName);
  }

  /** The functions in the order of their names. */
  values(): Iterable<Fun> {
    return this.#byName.values();
  }

  /**
   * Adds one, or replaces the one of that name.
   *
   * @throws {TypeError} When the name is no text, or the function none.
   */
  add(name: string, fun: Fun): void {
    if (typeof name !== "string" || typeof fun !== "function") {
      throw new TypeError("Cannot interpose: expected a name and a function");
    }
    const entries = [...new Map(this.#byName).set(name, fun)];
    this.#byName = new Map(entries.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }

  /** Takes one away. @returns Whether it was there. */
  remove(name: string): boolean {
    if (typeof name !== "string") throw new TypeError("Cannot interpose: expected the name of a function");
    const rest = new Map(this.#byName);
    const found = rest.delete(name);
    this.#byName = rest;
    this.#changed();
    return found;
  }
}

/** The interposition functions of a node. */
export class Interpositions {
  /** Run first. */
  readonly pre: NamedFunctions<PreInterpositionFun> = new NamedFunctions(() => this.#count());
  /** Run in between; the only ones that change anything. */
  readonly fun: NamedFunctions<InterpositionFun> = new NamedFunctions(() => this.#count());
  /** Run last. */
  readonly post: NamedFunctions<PostInterpositionFun> = new NamedFunctions(() => this.#count());
  #active = false;
  readonly #failed: (error: unknown, message: InterposedMessage) => void;

  /** @param failed Told what a function throws; the message is dropped then. */
  constructor(failed: (error: unknown, message: InterposedMessage) => void) {
    this.#failed = failed;
  }

  /** Whether there is any function to run: asked for every message. */
  get active(): boolean {
    return this.#active;
  }

  /**
   * Sends a message through the functions.
   *
   * @returns The message to go on with, `undefined` when it was dropped, or a {@linkcode DelayedMessage}.
   */
  run(original: InterposedMessage): unknown {
    try {
      for (const observe of this.pre.values()) observe(original);
      let message = original.message;
      for (const transform of this.fun.values()) {
        message = transform({ ...original, message });
        if (message === undefined || message instanceof DelayedMessage) break;
      }
      for (const observe of this.post.values()) observe(original, message);
      return message;
    } catch (error) {
      this.#failed(error, original);
      return undefined;
    }
  }

  #count(): void {
    this.#active = this.pre.size + this.fun.size + this.post.size > 0;
  }
}
