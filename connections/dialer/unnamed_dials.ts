// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Address, haveCommonAddress } from "../../wire/address.ts";

/** Dials of addresses whose node is not known: its name comes with the answer. */
export class UnnamedDials {
  readonly #underWay = new Set<readonly Address[]>();

  /** Dials, and then has `done` called with the addresses that were dialed. */
  async run<T>(
    addresses: readonly Address[],
    dial: () => Promise<T>,
    done: (addresses: readonly Address[]) => void,
  ): Promise<T> {
    // Each dial counts by itself, also where two have the same list.
    const own = [...addresses];
    this.#underWay.add(own);
    try {
      return await dial();
    } finally {
      this.#underWay.delete(own);
      done(own);
    }
  }

  /** Whether a node at one of `addresses` may be the one that is dialed. */
  mayReach(addresses: readonly Address[]): boolean {
    for (const dialed of this.#underWay) if (haveCommonAddress(dialed, addresses)) return true;
    return false;
  }
}
