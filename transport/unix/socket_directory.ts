// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Address } from "../../wire/address.ts";

/** Says which network namespace a process of Linux is in: an address means nothing in another one. */
const NAMESPACE_LINK = "/proc/self/ns/net";
const WILDCARDS = ["0.0.0.0", "::"];
/** Bits of a mode that let others in than the owner. */
const OTHERS = 0o077;

/**
 * Directory of the Unix sockets of the nodes of one host, by the addresses that they listen on. Since a listener has its TCP
 * address to itself, a socket that stands under it is its own, or was left over and belongs to no process.
 */
export class SocketDirectory {
  readonly #root: string;
  #usable: Promise<string | null> | undefined;

  /** @param root Is made when it is first needed. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Path of the socket to listen on in addition to `address`. @returns `null` when there is no such place. */
  async pathFor(address: Address): Promise<string | null> {
    const directory = await this.#directory();
    return directory && pathIn(directory, address.hostname, address.port);
  }

  /**
   * Possible paths of the socket of the process that listens on `address`, the likeliest first. None when that is another host.
   */
  async pathsTo({ hostname, port }: Address): Promise<string[]> {
    if (!isOfThisHost(hostname)) return [];
    const directory = await this.#directory();
    if (directory === null) return [];
    const own = hostname === "localhost" ? ["127.0.0.1", "::1"] : [hostname];
    return [...own, ...WILDCARDS].map((each) => pathIn(directory, each, port));
  }

  #directory(): Promise<string | null> {
    return this.#usable ??= prepare(this.#root).catch(() => null);
  }
}

/** Makes the directory of this network namespace. @returns `null` when it is another user's, or others may enter it. */
async function prepare(root: string): Promise<string | null> {
  const namespace = Deno.build.os === "linux" ? (await Deno.readLink(NAMESPACE_LINK)).replace(/\D/g, "") : "host";
  const directory = `${root}/${namespace}`;
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const { mode, uid } = await Deno.stat(directory);
  const isPrivate = mode !== null && (mode & OTHERS) === 0 && uid === await ownerOfNewFiles(directory);
  return isPrivate ? directory : null;
}

/** The user that this process is, for which it would have to ask otherwise. */
async function ownerOfNewFiles(directory: string): Promise<number | null> {
  const file = await Deno.makeTempFile({ dir: directory });
  try {
    return (await Deno.stat(file)).uid;
  } finally {
    await Deno.remove(file);
  }
}

function pathIn(directory: string, hostname: string, port: number): string {
  return `${directory}/${hostname.replaceAll(":", "_")}-${port}`;
}

function isOfThisHost(hostname: string): boolean {
  if (hostname === "localhost" || hostname === "::1" || /^127(\.\d+){3}$/.test(hostname)) return true;
  try {
    return Deno.networkInterfaces().some(({ address }) => address === hostname);
  } catch {
    // Not permitted: then only loopback is known to be here.
    return false;
  }
}
