// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { forgetOldest } from "../runtime/forget_oldest.ts";
import type { GroupIndex } from "./group_index.ts";
import type { StampedHolder } from "./name_holder.ts";

/** Number of heartbeat intervals for which a claim is remembered that this node agreed to: by then it shows, or has failed. */
const REMEMBERED = 10;
/** Most of them. */
const AGREED_MAX = 10_000;
/** Longest wait between two attempts to settle a name, in heartbeat intervals. */
const WAIT_MAX = 64;

/** Messages of a {@linkcode NameConflicts} to the holders of a name. */
export interface ContestedNames {
  /** The nodes that have a name: the first one decides. */
  holders(name: string): readonly StampedHolder[];
  /** Tells one that has a name of another one. @returns Whether it keeps it. */
  introduce(name: string, first: StampedHolder, other: StampedHolder): Promise<boolean>;
  /** Tells one that has a name that it has lost it to another one. */
  dismiss(name: string, owner: StampedHolder, loser: StampedHolder): Promise<void>;
}

/**
 * Mediates between nodes that claim a name and cannot reach each other, where this node can reach both: it lets neither get a
 * name that the other has, and where both have one, it tells them.
 */
export class NameConflicts {
  readonly #node: PeerServiceManager;
  readonly #names: ContestedNames;
  /** Times at which this node agreed to claims, by name and claimant. The oldest ones come first. */
  readonly #agreed = new Map<string, { readonly name: string; readonly claimant: string; readonly at: number }>();
  /** Names of which several claims were seen. */
  readonly #contested = new Set<string>();

  constructor(node: PeerServiceManager, index: GroupIndex, names: ContestedNames) {
    this.#node = node;
    this.#names = names;
    index.listenToAll(({ type, group }) => type === "join" && this.#look(group));
  }

  /** Nodes out of the claimant's reach that may have a name, or be about to have it. */
  rivals(name: string, unseen: readonly string[]): string[] {
    const claimants = [...this.#agreed.values()].filter((claim) => claim.name === name).map(({ claimant }) => claimant);
    const known = new Set([...claimants, ...this.#names.holders(name).map(({ node }) => node)]);
    return unseen.filter((node) => known.has(node) && node !== this.#node.name);
  }

  /** This node is about to agree to a claim. */
  agree(name: string, claimant: string): void {
    const { interval } = this.#node.heartbeat;
    const at = this.#node.runtime.clock.now();
    for (const [key, claim] of this.#agreed) {
      if (claim.at > at - REMEMBERED * interval) break;
      this.#agreed.delete(key);
    }
    const key = JSON.stringify([name, claimant]);
    this.#agreed.delete(key);
    this.#agreed.set(key, { name, claimant, at });
    forgetOldest(this.#agreed, AGREED_MAX);
  }

  #look(name: string): void {
    if (this.#contested.has(name) || this.#names.holders(name).length < 2) return;
    this.#contested.add(name);
    this.#settleLater(name, 1);
  }

  /** Those that can reach each other settle it at once, and leave nothing to be done. One that does not heed it is told ever more rarely. */
  #settleLater(name: string, wait: number): void {
    const { heartbeat, runtime, stopSignal } = this.#node;
    const timer = runtime.clock.schedule(wait * heartbeat.interval, () => {
      stopSignal.removeEventListener("abort", stop);
      this.#settle(name).then((isSettled) => {
        if (isSettled || stopSignal.aborted) this.#contested.delete(name);
        else this.#settleLater(name, Math.min(WAIT_MAX, 2 * wait));
      });
    });
    const stop = () => timer.cancel();
    stopSignal.addEventListener("abort", stop, { once: true });
  }

  /** @returns Whether only one has the name. */
  async #settle(name: string): Promise<boolean> {
    const [first, ...others] = this.#names.holders(name);
    if (first === undefined || others.length === 0) return true;
    for (const other of others) {
      try {
        if (await this.#names.introduce(name, first, other)) await this.#names.dismiss(name, first, other);
      } catch {
        // One of them cannot be reached: it is not seen any more soon, or is tried again.
      }
    }
    return false;
  }
}
