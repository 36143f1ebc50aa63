// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * How bytes move between nodes.
 *
 * @module
 */

export { ByteWriter } from "./byte_writer.ts";
export { type Codec, messagePack } from "./codec.ts";
export { decode, Decoder } from "./message_pack_decode.ts";
export { encode, encodeInto } from "./message_pack_encode.ts";
