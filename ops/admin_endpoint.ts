// Copyright 2026 the Partisan peer-service authors. MIT license.

import { formatAddress } from "../wire/address.ts";

/** Address of an admin endpoint. */
export type AdminEndpoint =
  | { readonly path: string }
  | { readonly hostname: string; readonly port: number };

/** The permission bits that let others in. */
const FOR_OTHERS = 0o077;

/**
 * Reads where an admin endpoint is: `host:port`, or else the path of a Unix socket.
 *
 * @throws {RangeError} When the port is out of range.
 */
export function parseAdminEndpoint(text: string): AdminEndpoint {
  const [, bracketed, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^/:]+)):(\d+)$/.exec(text) ?? [];
  if (digits === undefined) return { path: text };
  const port = Number(digits);
  if (port > 65_535) throw new RangeError(`Cannot use "${text}": its port is greater than 65535`);
  return { hostname: bracketed ?? name!, port };
}

/** As {@linkcode parseAdminEndpoint} reads it. */
export function formatAdminEndpoint(endpoint: AdminEndpoint): string {
  return "path" in endpoint ? endpoint.path : formatAddress(endpoint);
}

/**
 * The folder of the sockets without a given name: `partisan` in `XDG_RUNTIME_DIR`, which belongs to the user and is emptied at logout; where that is
 * not set, one in `/tmp` that has the number of the user in its name.
 */
export function adminFolder(): string {
  const runtime = Deno.env.get("XDG_RUNTIME_DIR");
  if (runtime !== undefined && runtime !== "") return `${runtime}/partisan`;
  return `/tmp/partisan-${Deno.uid() ?? "nobody"}`;
}

/** The socket of a node without a given name. */
export function adminPath(name: string): string {
  return `${adminFolder()}/${encodeURIComponent(name).replaceAll("%40", "@")}.sock`;
}

/**
 * Makes the folder for sockets, for its owner alone, or makes sure that it is such a folder.
 *
 * @throws {Error} When it is a link, belongs to another user, or lets others in.
 */
export async function makeAdminFolder(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const { isDirectory, uid, mode } = await Deno.lstat(folder);
  const isOurs = isDirectory && (uid === null || uid === Deno.uid()) && ((mode ?? 0) & FOR_OTHERS) === 0;
  if (isOurs) return;
  throw new Error(
    `Cannot use the folder "${folder}": it must be a folder of this user, with mode 0700; or name a path`,
  );
}
