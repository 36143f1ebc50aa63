// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec, PeerServiceManager } from "../../mod.ts";
import { ConnectionOpener } from "../../connections/handshake/connection_opener.ts";
import type { ConnectionRequest } from "../../connections/handshake/introduction.ts";
import { HandshakeRefusedError } from "../../connections/handshake/refusal.ts";
import { clusterIdentity } from "../connections/cluster_identity.ts";
import type { World } from "./worlds.ts";

/** Dials a node of an open cluster as if it were another one. @returns The code of the refusal; `null` when it was let in. */
export async function claim(
  world: World,
  spec: NodeSpec,
  victim: PeerServiceManager,
  changes: Partial<ConnectionRequest> = {},
): Promise<string | null> {
  const runtime = world.runtime("stranger");
  const identity = await clusterIdentity(runtime, "stranger", [], { cluster: "default" });
  const opener = new ConnectionOpener({ runtime, identity, handshakeTimeout: 5_000, halfOpenMax: 8 });
  const place = {
    to: victim.name,
    toIncarnation: victim.spec.incarnation,
    channel: "membership",
    index: 0,
    dial: 2 ** 20,
    seen: 0,
  };
  try {
    const { stream } = await opener.dial(victim.spec.addresses, { spec, ...place, ...changes });
    stream.close();
    return null;
  } catch (error) {
    if (error instanceof HandshakeRefusedError) return error.refusal.code;
    throw error;
  }
}
