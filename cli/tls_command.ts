// Copyright 2026 the Partisan peer-service authors. MIT license.

import { commonNameOf } from "../transport/tls/credentials.ts";
import { UsageError } from "./usage_error.ts";
import { type CertificateAuthority, makeAuthority, makeCertificate } from "./certificates.ts";

const DAY_MS = 86_400_000;
/** Clocks differ: certificates hold from a little before they are made. */
const BEFORE_MS = 5 * 60_000;
const DAYS_MAX = 36_500;
const CA_DAYS = 3_650;
const NODE_DAYS = 365;

/** What `tls` is asked to make. */
export type TlsInvocation =
  | { readonly make: "help" }
  | { readonly make: "ca"; readonly out: string; readonly days: number }
  | {
    readonly make: "cert";
    readonly names: readonly string[];
    readonly ca: string;
    readonly out: string;
    readonly days: number;
  };

/** What `tls --help` prints. */
export const tlsHelpText =
  `Certificates for nodes, of a private authority: for development, and for clusters that have no authority yet.

Usage: deno task tls ca --out DIR [--days N]
       deno task tls cert --name NAME --ca DIR --out DIR [--days N]

  ca          makes an authority: ca.crt, for every node, and ca.key, for nobody but whoever issues certificates
  cert        makes a certificate of it for the node NAME: NAME.crt and NAME.key, besides a copy of ca.crt

  --name NAME   name of the node; may be repeated for further names, and for URIs such as spiffe://here/a
  --ca DIR      where ca.crt and ca.key are
  --out DIR     where to write; it is made if need be. Nothing is overwritten
  --days N      for how long it holds, 1 to ${DAYS_MAX} (default ${CA_DAYS} for ca, ${NODE_DAYS} for cert)
  --help        this text`;

/**
 * Reads what follows `tls` on the command line.
 *
 * @throws {UsageError} When something in it is unknown, missing or out of range.
 */
export function parseTls(args: readonly string[]): TlsInvocation {
  const [make, ...rest] = args;
  if (make === undefined || [make, ...rest].some((word) => word === "--help" || word === "-h")) return { make: "help" };
  if (make !== "ca" && make !== "cert") throw new UsageError(`Unknown command "tls ${make}": expected ca or cert`);
  const names: string[] = [];
  const given = new Map<string, string>();
  const known = make === "ca" ? ["--out", "--days"] : ["--name", "--ca", "--out", "--days"];
  const words = rest.flatMap((word) => word.startsWith("--") ? word.split(/=(.*)/s).slice(0, 2) : [word]);
  for (let at = 0; at < words.length; at += 2) {
    const [option, value] = [words[at]!, words[at + 1]];
    if (!known.includes(option)) throw new UsageError(`Unknown option "${option}" of tls ${make}`);
    if (value === undefined || value === "") throw new UsageError(`Option "${option}" needs a value`);
    if (option === "--name") names.push(value);
    else given.set(option, value);
  }
  const needed = (option: string) => {
    const value = given.get(option);
    if (value === undefined) throw new UsageError(`Option "${option}" is missing: tls ${make} needs it`);
    return value;
  };
  const text = given.get("--days") ?? `${make === "ca" ? CA_DAYS : NODE_DAYS}`;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(days >= 1 && days <= DAYS_MAX)) {
    throw new UsageError(`Option "--days" is "${text}": expected a whole number from 1 to ${DAYS_MAX}`);
  }
  if (make === "ca") return { make, out: needed("--out"), days };
  if (names.length === 0) throw new UsageError('Option "--name" is missing: tls cert needs it');
  return { make, names, ca: needed("--ca"), out: needed("--out"), days };
}

/** Makes what is asked for. @returns What to print: the files that were written, or the help. */
export async function runTls(invocation: TlsInvocation, now: Date = new Date()): Promise<readonly string[]> {
  if (invocation.make === "help") return [tlsHelpText];
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
