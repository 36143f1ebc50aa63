// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions, type OptionKinds, STRING } from "../runtime/options.ts";

/** Told when a node, or its channel, comes or goes. */
export type StatusListener = (node: string, channel?: string) => void;

/** Restricts a subscription. */
export interface StatusOptions {
  /**
   * Only this channel: up when it has all its connections, down when it has none.
   *
   * @default {none: the node as a whole}
   */
  readonly channel?: string | undefined;
}

interface Subscription {
  readonly node: string;
  readonly channel: string | undefined;
  readonly listener: StatusListener;
}

const OPTIONS: OptionKinds<StatusOptions> = { channel: STRING };

/** The listeners, by the node that they want to know about. */
export class Subscriptions {
  readonly #subscriptions = new Set<Subscription>();
  readonly #failed: (error: unknown) => void;

  /** @param failed Told what a listener throws. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** @param node A node's name, or `"*"` for all. */
  add(node: string, listener: StatusListener, options?: StatusOptions): Disposable {
    if (typeof node !== "string" || typeof listener !== "function") {
      throw new TypeError(`Cannot subscribe: expected a node name or "*", and a function`);
    }
    const { channel } = checkOptions("Cannot subscribe", options, OPTIONS);
    const subscription: Subscription = { node, channel, listener };
    this.#subscriptions.add(subscription);
    return { [Symbol.dispose]: () => void this.#subscriptions.delete(subscription) };
  }

  /** Tells everyone who asked about `node`, and `channel` or the node as a whole. */
  tell(node: string, channel?: string): void {
    for (const subscription of [...this.#subscriptions]) {
      if (subscription.channel !== channel || (subscription.node !== "*" && subscription.node !== node)) continue;
      try {
        subscription.listener(node, channel);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
