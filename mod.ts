// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Cluster membership and node-to-node messaging for Deno, after Erlang's Partisan.
 *
 * @example Two nodes that know each other
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { assertEquals } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await b.syncJoin(a.spec);
 *
 * assertEquals(a.members(), ["a", "b"]);
 * assertEquals(b.members(), ["a", "b"]);
 * ```
 *
 * @module
 */

export { startPeerService } from "./manager/start_peer_service.ts";
export { type JoinOptions } from "./manager/join_requests.ts";
export { type PeerServiceManager } from "./manager/peer_service_manager.ts";
export { type UpdateMembersOptions } from "./manager/member_updates.ts";
export { type MemberInfo, type MembersOptions, type MemberStatus } from "./manager/member_status.ts";
export { type BroadcastOptions } from "./manager/broadcasting.ts";
export {
  type Monitor,
  type MonitorDown,
  type MonitorOptions,
  type MonitorReason,
  type NodeStatus,
} from "./manager/monitor.ts";
export { type HandlerFate } from "./messaging/monitors.ts";
export { type CallOptions } from "./messaging/calls.ts";
export { type ChannelOptions, type EvictOptions, type PeerServiceOptions } from "./manager/peer_service_options.ts";
export { type Admit, type TlsOptions } from "./manager/identity.ts";
export { type AllowOptions } from "./manager/allowances.ts";
export { type TlsCredentials } from "./transport/tls/credentials.ts";
export { type PeerCertificate } from "./transport/transport.ts";
export { CertificateError, type CertificateErrorCode } from "./transport/tls/certificate_error.ts";
export { type PresetName } from "./manager/presets.ts";
export { type ForwardOptions, type ServerRef } from "./manager/forward_options.ts";
export { type PeerServiceStats, type PeerStats } from "./manager/peer_service_stats.ts";
export { type DrainOptions } from "./manager/draining.ts";
export { type AttributeListener } from "./manager/node_attributes.ts";
export { type DiscoveredAddress, type Discovery, type DiscoveryStatus } from "./manager/discovery.ts";
export {
  type AttributeDetail,
  type ErrorDetail,
  type ManagerMessageDetail,
  type NodeDetail,
  type PartitionDetail,
  type PeerServiceEventMap,
  type PeerServiceEvents,
  type PeerServiceListener,
  type RemovedDetail,
  type StatusDetail,
  type TrustDetail,
} from "./manager/events.ts";
export { type StatusListener, type StatusOptions } from "./manager/subscriptions.ts";
export {
  delay,
  DelayedMessage,
  type InterposedMessage,
  type InterpositionFun,
  type PostInterpositionFun,
  type PreInterpositionFun,
} from "./messaging/interposition.ts";
export { type PartitionEntry, type PartitionReference } from "./messaging/partitions.ts";
export type {
  AnyHandlers,
  HandlerName,
  HandlerOf,
  MessageOf,
  PartOf,
  RangeHandlerOf,
  ReplyOf,
} from "./messaging/contract.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./messaging/standard_schema.ts";
export type { CallAllOptions } from "./manager/calling_all.ts";
export type { ByteStreamPair, StreamHalves } from "./messaging/streams/byte_streams.ts";
export type { StreamHandler, StreamHandlerOptions } from "./messaging/streams/stream_serving.ts";
export type { StreamRoute } from "./messaging/streams/streams.ts";
export type { StreamOptions, StreamStats } from "./manager/streaming.ts";
export {
  type HandlerOptions,
  type MessageContext,
  type MessageHandler,
  type RangeHandler,
  type RangeHandlerOptions,
} from "./messaging/registry.ts";
export { type GuaranteeOptions } from "./messaging/guarantee_options.ts";
export { type Retransmission } from "./messaging/retransmission.ts";
export { type SendOptions } from "./messaging/outbound.ts";
export { type MessageStats, type Undeliverable } from "./messaging/message_stats.ts";
export {
  AckTimeoutError,
  CallError,
  MessageTooLargeError,
  NoHandlerError,
  NotConnectedError,
  OverloadedError,
  PartitionedError,
  QueueFullError,
  ReceiveBufferFullError,
  type RemoteError,
  StoppedError,
} from "./messaging/errors.ts";
export { EncodeError } from "./wire/encode_error.ts";
export { SealError } from "./connections/noise/cipher_state.ts";
export {
  HandshakeRefusedError,
  type Refusal,
  REFUSAL_CODES,
  type RefusalCode,
} from "./connections/handshake/refusal.ts";
export { type TrustStats } from "./connections/renewal.ts";
export { type BroadcastStats } from "./manager/broadcasting.ts";
export { type Posture } from "./manager/posture.ts";
export { type RelayStats } from "./messaging/relaying.ts";
export { type DialFailure } from "./connections/dialer/dial_failure.ts";
export { type OpenerStats } from "./connections/handshake/connection_opener.ts";
export { type ChannelSpec, type NodeSpec } from "./wire/node_spec.ts";
export { fileStore } from "./membership/file_store.ts";
export { type SnapshotStore } from "./membership/snapshot_store.ts";
export { type ByteStream, type Listener, type Transport } from "./transport/transport.ts";
export { type Address } from "./wire/address.ts";
export { type Codec, messagePack } from "./wire/codec.ts";
export { type Log, type LogEntry, type Warning } from "./runtime/log_entry.ts";
export { type Clock, type CommonLoad, type LocalRuntime, type Random, type Timer } from "./runtime/runtime.ts";
export { type Runtime } from "./transport/runtime.ts";
export { type Outgoing, type Strategy, type StrategyContext, type Transition } from "./strategy/strategy.ts";
export { fullMesh, type FullMeshOptions } from "./strategy/full_mesh.ts";
export { type FullMeshState, type Joiner } from "./strategy/full_mesh_state.ts";
export { type Digest } from "./wire/hash.ts";
export { clientServer } from "./strategy/client_server.ts";
export { hyparview, type HyParViewOptions, type XBotOptions } from "./strategy/hyparview.ts";
export { scampV1, type ScampV1Options } from "./strategy/scamp_v1.ts";
export { scampV2, type ScampV2Options } from "./strategy/scamp_v2.ts";
export { type StaticEdges, staticOverlay } from "./strategy/static_overlay.ts";
