// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ClusterIdentity } from "../../connections/handshake/session.ts";
import { SharedSecrets } from "../../connections/handshake/shared_secrets.ts";
import { hash, keyPair } from "../../connections/noise/primitives.ts";
import type { Runtime } from "../../transport/runtime.ts";

/** Stretches secrets in no time. */
export function quickSecrets(
  runtime: Runtime,
  secrets: readonly string[] = [],
  cluster = "blue",
): Promise<SharedSecrets> {
  return SharedSecrets.stretch(runtime, cluster, secrets, (secret, salt) => Promise.resolve(hash(salt, secret)));
}

/** Makes the identity of a node of a test: with secrets, a key pair that follows from its name. */
export async function clusterIdentity(
  runtime: Runtime,
  name: string,
  secrets: readonly string[] = [],
  parts: Partial<ClusterIdentity> = {},
): Promise<ClusterIdentity> {
  return {
    cluster: "blue",
    strategy: "full-mesh",
    secrets: await quickSecrets(runtime, secrets, parts.cluster),
    keys: secrets.length === 0 ? null : keyPair(hash(new TextEncoder().encode(name), new Uint8Array())),
    maxFrameBytes: 2 ** 20,
    ...parts,
  };
}
