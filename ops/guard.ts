// Copyright 2026 the Partisan peer-service authors. MIT license.

import { shown } from "../runtime/type_name.ts";

/** The longest `Host` that is looked at: a name of DNS, and a port. */
const HOST_MAX = 253 + 6;

const encoder = new TextEncoder();

/**
 * Whether a request was meant for this server. A foreign page can have its own name lead to our address (DNS rebinding), and
 * would then read what it likes; but it cannot choose the `Host` that a browser sends. Only a name could be led elsewhere: an address, and
 * `localhost`, cannot.
 */
export function isForUs(request: Request, hosts: ReadonlySet<string>): boolean {
  const header = request.headers.get("host");
  const { protocol, host } = new URL(request.url);
  const claims = [header, protocol === "http:" || protocol === "https:" ? host : null];
  return claims.every((claim) => claim === null || isAllowed(claim, hosts));
}

/**
 * Whether a browser sent a request on behalf of a page from elsewhere.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isFromElsewhere(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return true;
  const origin = request.headers.get("origin");
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== (request.headers.get("host") ?? new URL(request.url).host);
}

/** Whether a request carries the token. How long the answer takes tells nothing about the token. */
export async function hasToken(request: Request, token: string): Promise<boolean> {
  const [, given] = /^Bearer +([^ ]+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (given === undefined) return false;
  // Digests have the same length, and one that nearly fits is not like the one that does.
  const [a, b] = await Promise.all([given, token].map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text))));
  const [left, right] = [new Uint8Array(a!), new Uint8Array(b!)];
  return left.reduce((difference, byte, index) => difference | byte ^ right[index]!, 0) === 0;
}

/**
 * The names that the option `hosts` allows, as they are compared.
 *
 * @param action Action under way, for the message: `Cannot serve`.
 * @throws {TypeError} When one of them is no name of a host.
 */
export function hostSet(hosts: readonly string[], action: string): ReadonlySet<string> {
  return new Set(hosts.map((host) => {
    const hostname = hostnameOf(host);
    if (hostname === null) throw new TypeError(`${action}: "hosts" has ${shown(host)}, expected names of hosts`);
    return hostname;
  }));
}

function isAllowed(host: string, hosts: ReadonlySet<string>): boolean {
  const hostname = hostnameOf(host);
  return hostname !== null && (hostname === "localhost" || isAddress(hostname) || hosts.has(hostname));
}

/** The name without port, in small letters; `null` when it is none. */
function hostnameOf(host: string): string | null {
  if (host.length > HOST_MAX) return null;
  const [, name] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::\d{1,5})?$/i.exec(host) ?? [];
  return name?.toLowerCase() ?? null;
}

/** Whether a host is an IP address: four plain numbers, or anything in brackets that a URL can hold. */
function isAddress(hostname: string): boolean {
  if (hostname.startsWith("[")) return URL.canParse(`http://${hostname}/`);
  const parts = hostname.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}
