// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkNodeSpec } from "../wire/node_spec_check.ts";
import { encode } from "../wire/message_pack_encode.ts";
import { StoppedError } from "../messaging/errors.ts";
import type { AnyHandlers } from "../messaging/contract.ts";
import type { NodeSpec } from "../wire/node_spec.ts";
import { SharedSecrets } from "../connections/handshake/shared_secrets.ts";
import { KEY_BYTES, keyPair } from "../connections/noise/primitives.ts";
import { HANDSHAKE_FRAME_BYTES } from "../connections/handshake/handshake.ts";
import type { Credentials } from "../connections/handshake/session.ts";
import type { ByteStream, Listener } from "../transport/transport.ts";
import type { Snapshot } from "../membership/snapshot_format.ts";
import { denoRuntime } from "../transport/deno_runtime.ts";
import type { Address } from "../wire/address.ts";
import { Node } from "./node.ts";
import { NodeTls } from "./node_tls.ts";
import { EventLog } from "./event_log.ts";
import type { Emit } from "./events.ts";
import { PeerService } from "./peer_service.ts";
import type { PeerServiceManager } from "./peer_service_manager.ts";
import type { PeerServiceOptions } from "./peer_service_options.ts";
import { Persistence } from "./persistence.ts";
import { type Settings, settingsFrom } from "./settings.ts";

/** Maximum of bytes of a node specification: it travels in one frame of the handshake, with room for the rest of that frame. */
const SPEC_BYTES_MAX = HANDSHAKE_FRAME_BYTES - 8 * 1024;

/**
 * Starts a node: a cluster of one, until it joins another node or another one joins it.
 *
 * @param options Everything has a default.
 * @returns The node, which listens already. Stop it with `stop()`, or declare it with `await using`.
 * @throws {TypeError | RangeError | SyntaxError} When an option cannot be used; the message says which and why.
 * @throws {RangeError} When a newer release has written to the store, which is left as it is.
 * @throws {TypeError} When the content of the store is of another node or strategy.
 * @throws {Error} When `tls` is given and this release of Deno does not refuse clients without a certificate.
 * @throws {Deno.errors.Busy} When another node, in this process or another one, uses the file of `fileStore()`.
 * @throws When the store cannot be read, or an address cannot be listened on.
 *
 * @typeParam Handlers The contract of the node: an interface of its handlers, and of those that it sends messages to.
 * @example Two nodes, and a message
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * await using alice = await startPeerService({ name: "alice" });
 * await using bob = await startPeerService({ name: "bob" });
 * const heard = Promise.withResolvers<unknown>();
 * bob.register("greeter", (message) => heard.resolve(message));
 *
 * await alice.syncJoin(bob.spec);
 * await alice.forwardMessage("bob", "greeter", { hello: "world" });
 *
 * assertEquals(await heard.promise, { hello: "world" });
 * assertEquals(alice.members(), ["alice", "bob"]);
 * ```
 */
export async function startPeerService<Handlers extends object = AnyHandlers>(
  options: PeerServiceOptions = {},
): Promise<PeerServiceManager<Handlers>> {
  const { runtime } = options;
  if (options.tls !== undefined && runtime !== undefined) {
    throw new TypeError(
      'Cannot start: "tls" and "runtime" are both given, expected the transport of "runtime" to speak TLS',
    );
  }
  const tls = options.tls && new NodeTls(options.tls);
  const settings = settingsFrom(options, runtime ?? denoRuntime({ transport: tls?.transport }), tls);
  return (await start(settings)).as<Handlers>();
}

/** Listens, and only then makes the node: its specification tells where it listens. */
async function start(settings: Settings): Promise<PeerServiceManager> {
  await settings.tls?.transport.prove();
  const persistence = await Persistence.open(settings);
  const { transport } = settings.runtime;
  const started: { node?: Node } = {};
  const accept = (stream: ByteStream) => started.node === undefined ? stream.close() : started.node.accept(stream);
  const failed = (error: unknown) => started.node?.warnings.acceptFailed(error);
  const listeners: Listener[] = [];
  try {
    const credentials = await credentialsOf(settings, persistence);
    for (const address of settings.listen) listeners.push(await transport.listen(address, accept, failed));
    const self = selfSpec(settings, credentials, persistence?.former ?? null, listeners.map(({ address }) => address));
    await persistence?.begin(self);
    const log = new EventLog(settings.log, settings.runtime);
    const create = (emit: Emit) => started.node = new Node(settings, self, credentials, persistence, emit);
    const service = new PeerService(create, log.unheard);
    PeerService.nodeOf(service).start(listeners);
    return service;
  } catch (error) {
    for (const listener of listeners) listener.close();
    // Source of nodes, strategy or log, which are not of this package, may throw when the node dials already.
    await started.node?.stop(new StoppedError(`Cannot go on: "${started.node.self.name}" did not start`)).catch(
      () => {},
    );
    persistence?.release();
    await transport.drained?.();
    throw error;
  }
}

/** Credentials of the node: where there are secrets, with the key that its store keeps, or a fresh one. */
async function credentialsOf(settings: Settings, persistence: Persistence | null): Promise<Credentials> {
  const { runtime, cluster } = settings;
  const secrets = await SharedSecrets.stretch(runtime, cluster, settings.secrets.reveal());
  if (secrets.isOpen) return { secrets, keys: null };
  return { secrets, keys: keyPair(persistence?.identity ?? runtime.random.bytes(KEY_BYTES)) };
}

function selfSpec(
  settings: Settings,
  { keys }: Credentials,
  former: Snapshot | null,
  listening: readonly Address[],
): NodeSpec {
  const { advertise, channels, metadata, runtime } = settings;
  const addresses = advertise ?? listening;
  const spec = checkNodeSpec({
    name: settings.name ?? former?.name ?? randomName(runtime.random.bytes(6), addresses[0]),
    // Above that of the last one, even when the clock was set back.
    incarnation: Math.max(Math.floor(runtime.clock.wallTime()), (former?.incarnation ?? 0) + 1),
    since: former?.since ?? undefined,
    key: keys?.publicKey,
    addresses,
    channels,
    metadata,
  });
  const size = encode({ ...spec }).length;
  if (size > SPEC_BYTES_MAX) {
    throw new RangeError(
      `Cannot start: name, addresses, channels and metadata take ${size} bytes together, expected at most ${SPEC_BYTES_MAX}`,
    );
  }
  return spec;
}

function randomName(bytes: Uint8Array, address: Address | undefined): string {
  const hostname = (address?.hostname ?? "nowhere").slice(0, 240);
  return `${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}@${hostname}`;
}
