// Copyright 2026 the Partisan peer-service authors. MIT license.

import { commonNameOf } from "../transport/tls/credentials.ts";
import type { Arguments } from "./option_table.ts";
import { UsageError } from "./usage_error.ts";
import { type CertificateAuthority, makeAuthority, makeCertificate } from "./certificates.ts";

const DAY_MS = 86_400_000;
/** Clocks differ: certificates hold from a little before they are made. */
const BEFORE_MS = 5 * 60_000;
const CA_DAYS = 3_650;
const NODE_DAYS = 365;

/** Request to `tls`. */
export type TlsInvocation =
  | { readonly make: "ca"; readonly out: string; readonly days: number }
  | {
    readonly make: "cert";
    readonly names: readonly string[];
    readonly ca: string;
    readonly out: string;
    readonly days: number;
  };

/**
 * Takes what `tls ca` and `tls cert` were told.
 *
 * @throws {UsageError} When something is missing.
 */
export function tlsInvocation(command: string, args: Arguments): TlsInvocation {
  const needed = (option: string) => {
    const value = args.text(option);
    if (value === undefined) throw new UsageError(`Option "--${option}" is missing: ${command} needs it`);
    return value;
  };
  if (command === "tls ca") return { make: "ca", out: needed("out"), days: args.number("days") ?? CA_DAYS };
  needed("name");
  const [names, days] = [args.list("name"), args.number("days") ?? NODE_DAYS];
  return { make: "cert", names, ca: needed("ca"), out: needed("out"), days };
}

/** Makes what is asked for. @returns Text to print: the files that were written. */
export async function runTls(invocation: TlsInvocation, now: Date = new Date()): Promise<readonly string[]> {
  const { out, days } = invocation;
  const validity = { from: new Date(now.getTime() - BEFORE_MS), to: new Date(now.getTime() + days * DAY_MS) };
  await Deno.mkdir(out, { recursive: true });
  if (invocation.make === "ca") {
    const { cert, key } = await makeAuthority(`Partisan ${crypto.randomUUID().slice(0, 8)}`, validity);
    return [await write(`${out}/ca.key`, key, 0o600), await write(`${out}/ca.crt`, cert, 0o644)];
  }
  const authority = await readAuthority(invocation.ca);
  const { cert, key } = await makeCertificate(authority, invocation.names, validity);
  const file = `${out}/${encodeURIComponent(invocation.names[0]!).replaceAll("%40", "@")}`;
  const written = [await write(`${file}.key`, key, 0o600), await write(`${file}.crt`, cert, 0o644)];
  if (!await isFile(`${out}/ca.crt`)) written.push(await write(`${out}/ca.crt`, authority.cert, 0o644));
  return written;
}

async function readAuthority(folder: string): Promise<CertificateAuthority> {
  const [cert, key] = [await Deno.readTextFile(`${folder}/ca.crt`), await Deno.readTextFile(`${folder}/ca.key`)];
  const name = commonNameOf(cert);
  if (name === undefined) {
    throw new TypeError(`Cannot use "${folder}/ca.crt": it was not made by "tls ca"; issue with its own tools`);
  }
  return { name, cert, key };
}

/** Writes a new file, which no one else can have put there. @returns Its path. */
async function write(path: string, text: string, mode: number): Promise<string> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
    throw new Error(`Cannot write "${path}": it is there already; remove it, or choose another --out`, { cause });
  }
  return path;
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}
