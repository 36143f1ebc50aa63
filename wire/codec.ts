// Copyright 2026 the Partisan peer-service authors. MIT license.

import { decode } from "./message_pack_decode.ts";
import { encode } from "./message_pack_encode.ts";

/**
 * Encoding of the payloads of messages. `@std/msgpack` and `@std/cbor` fit as they are: `startPeerService({ codec: msgpack })`
 * after `import * as msgpack from "@std/msgpack"`.
 *
 * All nodes of a cluster must use the same one.
 *
 * @example Send JSON
 * ```ts
 * import type { Codec } from "@partisan/peer-service/transport";
 * import { assertEquals } from "@std/assert";
 *
 * const json: Codec = {
 *   encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
 *   decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
 * };
 *
 * assertEquals(json.decode(json.encode({ add: 1 })), { add: 1 });
 * ```
 */
export interface Codec {
  /**
   * Turns a value into bytes of its own.
   *
   * @throws When it cannot.
   */
  encode(value: unknown): Uint8Array;
  /**
   * Turns what `encode` returned back into the value. The bytes are the caller's for good: the value may refer to them.
   *
   * @throws When it cannot, because `bytes` are malformed.
   */
  decode(bytes: Uint8Array): unknown;
}

/** MessagePack, which the built-in codec writes without a buffer of its own in between. */
export const messagePack: Codec = Object.freeze({ encode, decode });
