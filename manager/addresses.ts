// Copyright 2026 the Partisan peer-service authors. MIT license.

import { isIntegerIn } from "../wire/integers.ts";
import { type Address, formatAddress } from "../wire/address.ts";
import { shown } from "../runtime/type_name.ts";

/**
 * Reads an address: an object, or `"host:port"` with IPv6 addresses in brackets.
 *
 * @throws {SyntaxError} When the text is no address.
 * @throws {RangeError} When the port is not a whole number from 0 to 65,535.
 * @throws {TypeError} When it is neither a text nor an object.
 */
export function parseAddress(input: string | Address): Address {
  if (typeof input === "object" && input !== null && "hostname" in input) {
    return checked(input.hostname, input.port, `${input.hostname}:${input.port}`);
  }
  if (typeof input !== "string") {
    throw new TypeError(`Cannot read an address: expected "host:port" or { hostname, port }, got ${shown(input)}`);
  }
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(input);
  if (match === null) {
    throw new SyntaxError(`Cannot read the address "${input}": expected "host:port", such as "127.0.0.1:9090"`);
  }
  return checked((match[1] ?? match[2])!, Number(match[3]), input);
}

function checked(hostname: string, port: number, shown: string): Address {
  if (typeof hostname !== "string" || hostname === "" || !isIntegerIn(port, 0, 65_535)) {
    throw new RangeError(`Cannot use the address "${shown}": expected a host name and a port from 0 to 65,535`);
  }
  // As an object, an IPv6 address may come in the brackets that it has in text.
  return { hostname: /^\[(.+)\]$/.exec(hostname)?.[1] ?? hostname, port };
}

/**
 * Makes sure that an address can be dialed.
 *
 * @param action Action under way: `start`.
 * @param what Option that has the address: `advertise`.
 * @throws {TypeError | RangeError} When it cannot be dialed.
 */
export function checkDialable(action: string, what: string, { hostname, port }: Address): void {
  if (isWildcard(hostname)) {
    throw new TypeError(
      `Cannot ${action}: "${what}" is "${hostname}", which stands for all addresses of a host and cannot be dialed; ` +
        "say by which address or name others reach it",
    );
  }
  if (port === 0) {
    throw new RangeError(
      `Cannot ${action}: "${what}" is "${
        formatAddress({ hostname, port })
      }", and port 0 cannot be dialed; say the port that others dial`,
    );
  }
}

/** Whether a host name, in whatever spelling, is the address that stands for all addresses of a host. */
export function isWildcard(hostname: string): boolean {
  const [plain = ""] = hostname.replace(/^\[|\]$/g, "").split("%");
  const url = URL.parse(plain.includes(":") ? `http://[${plain}]/` : `http://${plain}/`);
  return url !== null && WILDCARDS.has(url.hostname);
}

/** As they are after all spellings are made one: the last is IPv4 within IPv6. */
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "[::]", "[::ffff:0:0]"]);
