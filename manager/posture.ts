// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "../wire/address.ts";
import { AddressRanges } from "../wire/address_ranges.ts";
import type { Settings } from "./settings.ts";

/** Protection of a node from those that reach its port. */
export interface Posture {
  /** Proof that others have to give: nothing (`"open"`), a secret, a certificate, or both of these. */
  readonly trust: "open" | "secret" | "tls" | "tls and secret";
  /** Whether it listens at an address that other hosts may reach. */
  readonly beyondLoopback: boolean;
}

/** Addresses that only this host reaches. */
const LOOPBACK = new AddressRanges(["127.0.0.0/8", "::1", "localhost"], "loopback");

/** Protection of a node with these settings. */
export function postureOf({ secrets, tls, listen }: Settings): Posture {
  const secret = secrets.count > 0;
  const trust = tls === undefined ? (secret ? "secret" : "open") : (secret ? "tls and secret" : "tls");
  return { trust, beyondLoopback: !listen.every(isLoopback) };
}

/** Whether only this host reaches an address. */
export function isLoopback({ hostname }: Address): boolean {
  return LOOPBACK.includes(hostname);
}
