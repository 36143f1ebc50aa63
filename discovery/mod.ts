// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Discovery of other nodes: lists, files, the domain name system, Kubernetes, and the interface for sources of one's own.
 *
 * @example Two nodes that are told where nodes may be
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { list } from "@partisan/peer-service/discovery";
 * import { assertEquals } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b", discovery: [list(a.spec.addresses)] });
 * const joined = Promise.withResolvers<void>();
 * using _up = b.onUp("a", () => joined.resolve());
 * await joined.promise;
 *
 * assertEquals(b.members(), ["a", "b"]);
 * ```
 *
 * @module
 */

export { type DiscoveredAddress, type Discovery, type DiscoveryStatus } from "../manager/discovery.ts";
export { type Address } from "../wire/address.ts";
export { dns, type DnsOptions, type DnsRecordType } from "./dns.ts";
export { file } from "./file.ts";
export { kubernetes, type KubernetesOptions } from "./kubernetes.ts";
export { list } from "./list.ts";
