// Copyright 2026 the Partisan peer-service authors. MIT license.

import { FEATURES } from "../../connections/handshake/introduction.ts";
import type { ClusterIdentity } from "../../connections/handshake/session.ts";
import { SharedSecrets } from "../../connections/handshake/shared_secrets.ts";
import { KEY_BYTES, keyPair } from "../../connections/noise/primitives.ts";
import { Node } from "../../manager/node.ts";
import { NodeTls } from "../../manager/node_tls.ts";
import { PeerService } from "../../manager/peer_service.ts";
import type { PeerServiceManager, PeerServiceOptions, Runtime } from "../../mod.ts";
import { settingsFrom } from "../../manager/settings.ts";
import { denoRuntime } from "../../transport/deno_runtime.ts";
import type { Listener } from "../../transport/transport.ts";
import { checkNodeSpec } from "../../wire/node_spec_check.ts";

/** Options of a node that does not know everything. */
export interface OlderNodeOptions extends PeerServiceOptions {
  readonly name: string;
  /** Features that it does not name in its handshakes, as if it was of a release before them. */
  readonly lacking: readonly string[];
}

/**
 * Starts a node as `startPeerService()` does, but for the features that it lacks. What a release before a feature did otherwise is not played:
 * it is to be seen that the nodes around it use nothing of it, in either direction.
 */
export async function startOlderNode({ lacking, ...options }: OlderNodeOptions): Promise<PeerServiceManager> {
  const tls = options.tls && new NodeTls(options.tls);
  const runtime: Runtime = options.runtime ?? denoRuntime(tls === undefined ? {} : { transport: tls.transport });
  const settings = settingsFrom(options, runtime, tls);
  const secrets = await SharedSecrets.stretch(runtime, settings.cluster, settings.secrets.reveal());
  const keys = secrets.isOpen ? null : keyPair(runtime.random.bytes(KEY_BYTES));
  const started: { node?: Node } = {};
  const listeners: Listener[] = [];
  for (const address of settings.listen) {
    listeners.push(await runtime.transport.listen(address, (stream) => void started.node?.accept(stream)));
  }
  const self = checkNodeSpec({
    name: options.name,
    incarnation: Math.floor(runtime.clock.wallTime()),
    ...keys === null ? {} : { key: keys.publicKey },
    addresses: listeners.map(({ address }) => address),
    channels: settings.channels,
    metadata: settings.metadata,
  });
  const features = lacking.length === 0 ? undefined : FEATURES.filter((feature) => !lacking.includes(feature));
  // The pool takes what identifies the node from here as well.
  const credentials: Pick<ClusterIdentity, "secrets" | "keys" | "features"> = { secrets, keys, features };
  const service = new PeerService((emit) => started.node = new Node(settings, self, credentials, null, emit), () => {});
  PeerService.nodeOf(service).start(listeners);
  return service.as();
}
