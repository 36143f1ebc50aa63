// Copyright 2026 the Partisan peer-service authors. MIT license.

import { parseAddress } from "../manager/addresses.ts";
import type { Discovery } from "../manager/discovery.ts";
import { checkKind, type OptionKind } from "../runtime/options.ts";
import type { Address } from "../wire/address.ts";

const LIST: OptionKind = ["a list of addresses", Array.isArray];

/**
 * Finds nodes at addresses that are known beforehand.
 *
 * @param addresses `"host:port"`, or objects. All are tried, in every look-up.
 * @throws {SyntaxError | RangeError | TypeError} When one of them is no address, or they are no list.
 *
 * @example A node that starts before the other one
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { list } from "@partisan/peer-service/discovery";
 * import { assertEquals } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b", discovery: list(a.spec.addresses) });
 * const joined = Promise.withResolvers<void>();
 * using _up = b.onUp("a", () => joined.resolve());
 * await joined.promise;
 * assertEquals(b.discovery()[0]?.name, "list");
 * ```
 */
export function list(addresses: readonly (string | Address)[]): Discovery {
  checkKind("Cannot look up a list", "the list", addresses, LIST);
  const parsed = addresses.map(parseAddress);
  return { name: "list", lookup: () => Promise.resolve(parsed) };
}
