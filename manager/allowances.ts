// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CHECKED_ELSEWHERE, checkOptions, type OptionKinds } from "../runtime/options.ts";
import { AddressRanges } from "../wire/address_ranges.ts";
import type { Address } from "../wire/address.ts";

/** Permissions of other nodes at this one. */
export interface AllowOptions {
  /**
   * Whether other members may cut this node off from its peers with `injectPartition`. Its own user always may.
   *
   * @default {true with the preset `local` and with a `runtime` of one's own, as in simulations; false otherwise}
   */
  readonly faultInjection?: boolean | undefined;
  /**
   * Whether another member may remove this node from the cluster with `leave(node)`. Where not, it comes back at once, as a new incarnation.
   *
   * @default {true}
   */
  readonly removal?: boolean | undefined;
  /**
   * Addresses that this node dials, wherever it learned them: ranges such as `"10.0.0.0/8"` or `"fd00::/8"`, single addresses,
   * or host names as they are written in addresses. A host name that is not listed itself is not dialed.
   *
   * @default {all}
   */
  readonly addresses?: readonly string[] | undefined;
}

const KINDS: OptionKinds<AllowOptions> = {
  faultInjection: CHECKED_ELSEWHERE,
  removal: CHECKED_ELSEWHERE,
  addresses: CHECKED_ELSEWHERE,
};

/** {@linkcode AllowOptions}, checked and complete. */
export interface Allowances {
  readonly faultInjection: boolean;
  readonly removal: boolean;
  /** Whether an address may be dialed. */
  readonly mayDial: (address: Address) => boolean;
}

/**
 * Checks the option `allow`.
 *
 * @param isTrial Whether the node runs for trial only: then faults may be injected unless it is said otherwise.
 * @throws {TypeError} When it cannot be used.
 */
export function allowancesFrom(options: AllowOptions = {}, isTrial: boolean): Allowances {
  checkOptions('Cannot start: "allow"', options, KINDS);
  const { faultInjection = isTrial, removal = true, addresses } = options;
  for (const [what, value] of Object.entries({ faultInjection, removal })) {
    if (typeof value !== "boolean") {
      throw new TypeError(`Cannot start: "allow.${what}" is ${value}, expected a boolean`);
    }
  }
  if (addresses === undefined) return { faultInjection, removal, mayDial: () => true };
  if (!Array.isArray(addresses)) throw new TypeError('Cannot start: "allow.addresses" is no list');
  const ranges = new AddressRanges(addresses, "allow.addresses");
  return { faultInjection, removal, mayDial: ({ hostname }) => ranges.includes(hostname) };
}
