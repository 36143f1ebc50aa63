// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Refusal } from "../connections/handshake/refusal.ts";
import type { TlsCredentials } from "../transport/tls/credentials.ts";
import type { ByteStream, PeerCertificate } from "../transport/transport.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { checkRequired, type OptionKind, type OptionKinds, STRING, STRINGS } from "../runtime/options.ts";
import type { Runtime } from "../transport/runtime.ts";
import type { Emit } from "./events.ts";

/** Mutual TLS between nodes. Everything is in PEM. */
export interface TlsOptions extends TlsCredentials {
  /**
   * Both ends show a certificate. There is no other way.
   *
   * @default {true}
   */
  readonly clientAuth?: true | undefined;
  /**
   * Binding of a certificate to a node: with `"name"`, the node's name must be one of the certificate's DNS or URI names. A
   * function decides by itself; one that is always true lets every certificate of `ca` be any node.
   *
   * @default {"name"}
   */
  readonly identity?: "name" | ((certificate: PeerCertificate, spec: NodeSpec) => boolean) | undefined;
}

const STRING_OR_STRINGS: OptionKind = [
  "a string or a list of strings",
  (value) => STRING[1](value) || STRINGS[1](value),
];

const KINDS: OptionKinds<TlsOptions> = {
  cert: STRING,
  key: STRING,
  ca: STRING_OR_STRINGS,
  clientAuth: ["true", (value) => value === true],
  identity: ['"name" or a function', (value) => value === "name" || typeof value === "function"],
};

/** Makes sure that they are options of TLS, of which some must be given. @throws {TypeError} When they are none. */
export function checkTls(action: string, options: TlsOptions): void {
  checkRequired(action, options, KINDS, "cert", "key", "ca");
}

/** Whether a node may be a peer; with `tls`, `certificate` is what it has shown. */
export type Admit = (spec: NodeSpec, certificate?: PeerCertificate) => boolean | Promise<boolean>;

/** Part of a node that {@linkcode identify} uses. */
export interface IdentifyingContext {
  readonly settings: {
    readonly tls: { identify(stream: ByteStream, spec: NodeSpec): Refusal | null } | undefined;
    readonly admit: Admit | undefined;
    readonly handshakeTimeout: number;
  };
  readonly runtime: Pick<Runtime, "clock">;
  readonly emit: Emit;
  untilStopped(signal: AbortSignal | undefined): AbortSignal;
}

/** Judges whether the other end of a stream is the node that it claims to be, and may be a peer. @returns Reason why not, or `null`. */
export async function identify(
  context: IdentifyingContext,
  stream: ByteStream,
  spec: NodeSpec,
): Promise<Refusal | null> {
  const { settings: { tls, admit, handshakeTimeout }, runtime, emit } = context;
  const stranger = tls?.identify(stream, spec) ?? null;
  if (stranger !== null || admit === undefined) return stranger;
  const during = `asking "admit" about "${spec.name}"`;
  const ask = async () => await admit(spec, stream.certificate) === true;
  const until = context.untilStopped(undefined);
  try {
    const deadline = { signal: until, timeout: handshakeTimeout };
    if (await withDeadline(runtime.clock, deadline, `Cannot go on ${during}`, ask)) return null;
  } catch (error) {
    if (!until.aborted) emit("error", { error, during, node: spec.name });
  }
  return { code: "not-admitted", reason: `Cannot admit "${spec.name}": the option "admit" says no` };
}

/** Judges whether a certificate is that of the node that a peer claims to be. @returns Reason why not, or `null`. */
export function identifier({ identity = "name" }: TlsOptions): (stream: ByteStream, spec: NodeSpec) => Refusal | null {
  return ({ certificate }, spec) => {
    const names = [...certificate?.dnsNames ?? [], ...certificate?.uris ?? []];
    const isItself = certificate !== undefined &&
      (identity === "name" ? names.includes(spec.name) : identity(certificate, spec));
    if (isItself) return null;
    const reason = `Cannot trust "${spec.name}": its certificate is for ${names.map((name) => `"${name}"`).join(", ")}`;
    return { code: "certificate", reason };
  };
}
