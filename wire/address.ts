// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Address where a node listens or is dialed. */
export interface Address {
  /** Host name or IP address. */
  readonly hostname: string;
  /** Port, 0 to 65,535. When listening, 0 asks for any free port. */
  readonly port: number;
}

/** `host:port`; an IPv6 address stands in brackets. */
export function formatAddress({ hostname, port }: Address): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Whether two addresses are the same, letter by letter. */
export function isSameAddress(one: Address, other: Address): boolean {
  return one.hostname === other.hostname && one.port === other.port;
}

/** Whether two lists have an address in common. */
export function haveCommonAddress(some: readonly Address[], others: readonly Address[]): boolean {
  return some.some((one) => others.some((other) => isSameAddress(one, other)));
}
