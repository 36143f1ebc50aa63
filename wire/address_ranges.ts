// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Bytes of an IPv6 address. IPv4 addresses are written as IPv6 ones that are mapped from them: `::ffff:10.0.0.1`. */
const IPV6_BYTES = 16;
const MAPPED_BITS = 96;

interface Range {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/**
 * A set of hosts: ranges of IP addresses in CIDR notation, single addresses, and host names, which are compared as they are written.
 *
 * A host name is in it only where it is listed itself: what it stands for may change between a look and a dial.
 */
export class AddressRanges {
  readonly #ranges: readonly Range[];
  readonly #names: ReadonlySet<string>;

  /**
   * Reads ranges such as `"10.0.0.0/8"`, `"fd00::/8"`, `"192.0.2.7"` or `"db.internal"`.
   *
   * @param what Name of the option, for the error.
   * @throws {TypeError} When one of them is none of these.
   */
  constructor(entries: readonly string[], what: string) {
    const ranges: Range[] = [];
    const names = new Set<string>();
    for (const entry of entries) {
      const range = typeof entry === "string" ? parseRange(entry) : null;
      if (range === null) {
        throw new TypeError(
          `Cannot read "${what}": "${entry}" is no range of addresses, expected one such as "10.0.0.0/8" or "fd00::/8"`,
        );
      }
      if (typeof range === "string") names.add(range);
      else ranges.push(range);
    }
    this.#ranges = ranges;
    this.#names = names;
  }

  /** Whether a host is in it. */
  includes(hostname: string): boolean {
    const bytes = parseIp(hostname);
    if (bytes === null) return this.#names.has(hostname.toLowerCase());
    return this.#ranges.some((range) => isWithin(bytes, range));
  }
}

/**
 * The network of a host, as far as one party has all of it: an IPv6 address stands for the 2^64 ones with the same first half, which are given
 * out together. Anything else stands for itself.
 */
export function networkOf(hostname: string): string {
  const bytes = hostname.includes(":") ? parseIp(hostname) : null;
  if (bytes === null) return hostname;
  const isMapped = bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((byte) => byte === 0);
  if (isMapped) return bytes.subarray(12).join(".");
  return `${[0, 2, 4, 6].map((at) => hex(bytes[at]!, bytes[at + 1]!)).join(":")}::/64`;
}

function parseRange(entry: string): Range | string | null {
  const slash = entry.lastIndexOf("/");
  const host = slash < 0 ? entry : entry.slice(0, slash);
  const bytes = parseIp(host);
  if (bytes === null) {
    return slash < 0 && /^(?=.*[a-z])[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i.test(entry) ? entry.toLowerCase() : null;
  }
  const most = host.includes(":") ? 8 * IPV6_BYTES : 32;
  const prefix = slash < 0 ? `${most}` : entry.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(prefix) || Number(prefix) > most) return null;
  return { bytes, bits: Number(prefix) + (most === 32 ? MAPPED_BITS : 0) };
}

function isWithin(bytes: Uint8Array, range: Range): boolean {
  const whole = range.bits >> 3;
  for (let index = 0; index < whole; index++) if (bytes[index] !== range.bytes[index]) return false;
  const rest = range.bits & 7;
  return rest === 0 || (bytes[whole]! ^ range.bytes[whole]!) >> (8 - rest) === 0;
}

/** The bytes of an IP address, or `null` when it is none. Brackets and a zone are allowed around and behind an IPv6 address. */
function parseIp(text: string): Uint8Array | null {
  if (!text.includes(":")) {
    const ipv4 = parseIpv4(text);
    if (ipv4 === null) return null;
    const bytes = new Uint8Array(IPV6_BYTES).fill(0xff, 10, 12);
    bytes.set(ipv4, 12);
    return bytes;
  }
  const plain = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  const lastColon = plain.lastIndexOf(":");
  const tail = plain.slice(lastColon + 1);
  const ipv4 = tail.includes(".") ? parseIpv4(tail) : null;
  if (tail.includes(".") && ipv4 === null) return null;
  const groups = ipv4 === null
    ? plain
    : `${plain.slice(0, lastColon + 1)}${hex(ipv4[0]!, ipv4[1]!)}:${hex(ipv4[2]!, ipv4[3]!)}`;
  return parseGroups(groups);
}

/** The four bytes of an address of IPv4 that is written as usual; `null` for any other text. */
export function parseIpv4(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) {
    return null;
  }
  return parts.map(Number);
}

function parseGroups(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":"));
  const known = [...head!, ...tail ?? []];
  if (!known.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  if (tail === undefined ? known.length !== 8 : known.length > 7) return null;
  const zeros: string[] = new Array(8 - known.length).fill("0");
  const bytes = new Uint8Array(IPV6_BYTES);
  for (const [index, group] of [...head!, ...zeros, ...tail ?? []].entries()) {
    bytes[2 * index] = parseInt(group, 16) >> 8;
    bytes[2 * index + 1] = parseInt(group, 16);
  }
  return bytes;
}

function hex(high: number, low: number): string {
  return (high << 8 | low).toString(16);
}
