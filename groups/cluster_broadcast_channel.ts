// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { type GroupMembership, Groups } from "./groups.ts";
import { sharedBy } from "./shared.ts";

/** Listener for the messages of a {@linkcode ClusterBroadcastChannel}. */
export type BroadcastListener = ((this: BroadcastChannel, event: MessageEvent) => unknown) | null;

/** A listener that was set as a property, and what calls it. */
interface Handler {
  given: NonNullable<BroadcastListener>;
  readonly listener: (event: Event) => void;
}

/**
 * The web's `BroadcastChannel`, over all nodes of the cluster: what is posted to a name reaches every other channel of that name, in this
 * process and in all others, once and in the order in which it was posted, while the two nodes are connected. (Over a partial view, others pass
 * it on to the nodes that this one has no connection with, and may change the order.)
 *
 * Data is what a message may be, which is less than what the structured clone algorithm takes: plain objects, arrays, strings, numbers, bytes
 * and dates. Other data makes `postMessage` throw a `DataCloneError`; `undefined` arrives as `null`. The `origin` of a message is the name of
 * the node that posted it.
 *
 * @example From one node to another
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { ClusterBroadcastChannel } from "@partisan/peer-service/groups";
 * import { assertEquals } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * const [here, there] = [new ClusterBroadcastChannel("news", a), new ClusterBroadcastChannel("news", a)];
 * const heard = Promise.withResolvers<unknown>();
 * there.onmessage = ({ data }) => heard.resolve(data);
 *
 * here.postMessage({ hello: "world" });
 * assertEquals(await heard.promise, { hello: "world" });
 * here.close();
 * there.close();
 * ```
 */
export class ClusterBroadcastChannel extends EventTarget implements BroadcastChannel {
  /** The name of the channel. */
  readonly name: string;
  readonly #groups: Groups;
  readonly #membership: GroupMembership;
  readonly #handlers = new Map<string, Handler>();
  /** Number of open channels on this node, by name. */
  readonly #open: Map<string, number>;
  #isClosed = false;

  /**
   * Opens a channel: what is posted from now on reaches it.
   *
   * @param name 1 to 200 characters.
   * @throws {TypeError} When the name can be none.
   */
  constructor(name: string, node: PeerServiceManager) {
    super();
    this.name = `${name}`;
    this.#groups = new Groups(node, { scope: "broadcast channels" });
    this.#open = sharedBy(node, "broadcast channels", () => new Map());
    this.#membership = this.#groups.join(this.name, { handler: (data, { from }) => this.#receive(data, from) });
    this.#open.set(this.name, this.#channels + 1);
    node.stopSignal.addEventListener("abort", () => this.#isClosed = true, { once: true });
  }

  /** Called with each message. */
  get onmessage(): BroadcastListener {
    return this.#handlers.get("message")?.given ?? null;
  }
  set onmessage(listener: BroadcastListener) {
    this.#setHandler("message", listener);
  }

  /** Called when a message could not be read. Messages that cannot be read do not come that far here: it is there for the interface. */
  get onmessageerror(): BroadcastListener {
    return this.#handlers.get("messageerror")?.given ?? null;
  }
  set onmessageerror(listener: BroadcastListener) {
    this.#setHandler("messageerror", listener);
  }

  /**
   * Sends data to every other channel of the name. It may be changed afterwards.
   *
   * @throws {DOMException} An `InvalidStateError` when the channel was closed, a `DataCloneError` when the data cannot be sent.
   */
  postMessage(data: unknown): void {
    if (this.#isClosed) {
      throw new DOMException(`Cannot post a message: the channel "${this.name}" was closed`, "InvalidStateError");
    }
    try {
      this.#groups.publish(this.name, data ?? null, { except: this.#membership, ordered: true });
    } catch (error) {
      const isUncloneable = error instanceof Error && ["EncodeError", "MessageTooLargeError"].includes(error.name);
      throw isUncloneable ? new DOMException(error.message, "DataCloneError") : error;
    }
  }

  /** Closes the channel: nothing reaches it any more. Closing twice does nothing more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#open.set(this.name, this.#channels - 1);
    if (this.#channels === 0) this.#open.delete(this.name);
    this.#membership.leave();
  }

  /** Number of open channels of this name on this node. */
  get #channels(): number {
    return this.#open.get(this.name) ?? 0;
  }

  #receive(message: unknown, origin: string): void {
    if (this.#isClosed) return;
    // Each channel is given data of its own.
    const data = this.#channels > 1 ? structuredClone(message) : message;
    this.dispatchEvent(new MessageEvent("message", { data, origin }));
  }

  #setHandler(type: string, listener: BroadcastListener): void {
    const before = this.#handlers.get(type);
    if (typeof listener !== "function") {
      if (before !== undefined) this.removeEventListener(type, before.listener);
      this.#handlers.delete(type);
    } else if (before !== undefined) {
      // One that replaces another one is called in its turn.
      before.given = listener;
    } else {
      const handler: Handler = {
        given: listener,
        listener: (event) => void handler.given.call(this, event as MessageEvent),
      };
      this.#handlers.set(type, handler);
      this.addEventListener(type, handler.listener);
    }
  }
}
