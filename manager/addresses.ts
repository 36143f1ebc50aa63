// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "../wire/address.ts";

/**
 * Reads an address: an object, or `"host:port"` with IPv6 addresses in brackets.
 *
 * @throws {SyntaxError} When the text is no address.
 * @throws {RangeError} When the port is not a whole number from 0 to 65,535.
 */
export function parseAddress(input: string | Address): Address {
  if (typeof input !== "string") return checked(input.hostname, input.port, `${input.hostname}:${input.port}`);
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(input);
  if (match === null) {
    throw new SyntaxError(`Cannot read the address "${input}": expected "host:port", such as "127.0.0.1:9090"`);
  }
  return checked((match[1] ?? match[2])!, Number(match[3]), input);
}

function checked(hostname: string, port: number, shown: string): Address {
  if (typeof hostname !== "string" || hostname === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Cannot use the address "${shown}": expected a host name and a port from 0 to 65,535`);
  }
  return { hostname, port };
}
