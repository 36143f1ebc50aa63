// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkOptions, checkRequired, NUMBER, OBJECT, type OptionKinds, STRING } from "../runtime/options.ts";
import type { Discovery } from "../manager/discovery.ts";
import type { Address } from "../wire/address.ts";
import { checkPort } from "../wire/check_port.ts";

/** Type of the records that {@linkcode dns} asks for. */
export type DnsRecordType = "A" | "AAAA" | "A+AAAA" | "SRV";

/** Options of {@linkcode dns}. */
export interface DnsOptions {
  /**
   * Port of every node, 1 to 65,535. With `"SRV"` the records say it.
   *
   * @default {none: needed for every type but "SRV"}
   */
  readonly port?: number | undefined;
  /**
   * The records to ask for.
   *
   * @default {"A+AAAA"}
   */
  readonly type?: DnsRecordType | undefined;
  /**
   * The server to ask.
   *
   * @default {that of the system}
   */
  readonly nameServer?: { readonly ipAddr: string; readonly port?: number } | undefined;
}

const KINDS: OptionKinds<DnsOptions> = { port: NUMBER, type: STRING, nameServer: OBJECT };
const SERVER_KINDS: OptionKinds<NonNullable<DnsOptions["nameServer"]>> = { ipAddr: STRING, port: NUMBER };

/**
 * Finds nodes by a name in the domain name system, such as that of a headless service: every address that the name has is tried.
 *
 * A name without records of a type is a look-up that failed, not an empty one. Of two types, one that has records is enough.
 * Needs `--allow-net`.
 *
 * @param name The name, for `"SRV"` with service and protocol: `"_partisan._tcp.example.org"`.
 * @throws {TypeError} When the port is missing, or an option can be none.
 * @throws {RangeError} When a port is none.
 *
 * @example Every pod behind a headless service
 * ```ts
 * import { dns } from "@partisan/peer-service/discovery";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const discovery = dns("peers.default.svc.cluster.local", { port: 9090 });
 * assertEquals(discovery.name, "dns A+AAAA peers.default.svc.cluster.local");
 * assertThrows(() => dns("peers.default.svc.cluster.local"), TypeError, "port");
 * ```
 */
export function dns(name: string, options: DnsOptions = {}): Discovery {
  const action = `Cannot look up "${name}"`;
  const { type = "A+AAAA", port, nameServer } = checkOptions(action, options, KINDS);
  if (!["A", "AAAA", "A+AAAA", "SRV"].includes(type)) {
    throw new TypeError(`${action}: type is "${type}", expected "A", "AAAA", "A+AAAA" or "SRV"`);
  }
  if (nameServer !== undefined) checkNameServer(`${action}: "nameServer"`, nameServer);
  if (type === "SRV") {
    return {
      name: `dns SRV ${name}`,
      lookup: (signal) => lookupServices(name, { signal, nameServer }),
    };
  }
  if (port === undefined) {
    throw new TypeError(`${action}: records of type ${type} need the option "port"`);
  }
  checkPort(action, port);
  const types = type === "A+AAAA" ? ["A", "AAAA"] as const : [type];
  return {
    name: `dns ${type} ${name}`,
    lookup: async (signal) =>
      (await resolveHosts(name, types, { signal, nameServer })).map((hostname) => ({ hostname, port })),
  };
}

function checkNameServer(action: string, server: NonNullable<DnsOptions["nameServer"]>): void {
  const { port = 53 } = checkRequired(action, server, SERVER_KINDS, "ipAddr");
  checkPort(action, port);
}

interface Query {
  readonly signal: AbortSignal;
  readonly nameServer: DnsOptions["nameServer"];
}

async function lookupServices(name: string, query: Query): Promise<Address[]> {
  const records = await Deno.resolveDns(name, "SRV", settingsOf(query));
  const found = await Promise.allSettled(records.map(async ({ target, port }) => {
    const hosts = await resolveHosts(target.replace(/\.$/, ""), ["A", "AAAA"], query);
    return hosts.map((hostname) => ({ hostname, port }));
  }));
  return fulfilledOf(found).flat();
}

async function resolveHosts(name: string, types: readonly ("A" | "AAAA")[], query: Query): Promise<string[]> {
  const found = await Promise.allSettled(types.map((type) => Deno.resolveDns(name, type, settingsOf(query))));
  return fulfilledOf(found).flat();
}

function settingsOf({ signal, nameServer }: Query): Deno.ResolveDnsOptions {
  return nameServer === undefined ? { signal } : { signal, nameServer: { ...nameServer, port: nameServer.port ?? 53 } };
}

/** Results that were found. @throws The first failure, when nothing was. */
function fulfilledOf<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  const fulfilled = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  const failure = results.find((result) => result.status === "rejected");
  if (fulfilled.length === 0 && failure !== undefined) throw failure.reason;
  return fulfilled;
}
