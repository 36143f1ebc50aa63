// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Transports: the movement of bytes between nodes.
 *
 * @module
 */

export { ByteWriter } from "../wire/byte_writer.ts";
export { type Codec, messagePack } from "../wire/codec.ts";
export { decode, Decoder } from "../wire/message_pack_decode.ts";
export { encode, encodeInto } from "../wire/message_pack_encode.ts";
export { TcpTransport, type TcpTransportOptions, type TcpTransportStats } from "./tcp/tcp_transport.ts";
export { UnixTransport, type UnixTransportOptions, type UnixTransportStats } from "./unix/unix_transport.ts";
export { type TlsCredentials } from "./tls/credentials.ts";
export { CertificateError, type CertificateErrorCode } from "./tls/certificate_error.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./memory/memory_transport.ts";
export { type CutConnects, type Latency, type Retransmission, uniformLatency } from "./memory/memory_links.ts";
export { type MemoryNetworkObserver } from "./memory/memory_host.ts";
export { type MemoryNetworkEvent } from "./memory/memory_stream.ts";
export { type ByteStream, type Listener, type PeerCertificate, type Transport } from "./transport.ts";
export { type Address } from "../wire/address.ts";
export { denoRuntime, type DenoRuntimeOptions } from "./deno_runtime.ts";
export { systemClock, systemRandom } from "../runtime/system.ts";
export { type LogEntry } from "../runtime/log_entry.ts";
export { type Clock, type CommonLoad, type LocalRuntime, type Random, type Timer } from "../runtime/runtime.ts";
export { type Runtime } from "./runtime.ts";
