// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Strategy } from "../strategy/strategy.ts";
import { decode } from "../wire/message_pack_decode.ts";
import { typeName } from "../runtime/type_name.ts";
import { encode } from "../wire/message_pack_encode.ts";

/** Version of the form in which a strategy's state leaves the node. */
const LOCAL_STATE_VERSION = 1;

/** Packs a strategy's snapshot. */
export function encodeLocalState({ name }: Strategy, snapshot: unknown): Uint8Array {
  return encode({ version: LOCAL_STATE_VERSION, strategy: name, snapshot });
}

/**
 * Unpacks a strategy's snapshot.
 *
 * @throws {SyntaxError} When the bytes are malformed.
 * @throws {TypeError} When they are of another version or strategy.
 */
export function decodeLocalState({ name }: Strategy, state: Uint8Array): unknown {
  if (!(state instanceof Uint8Array)) {
    throw new TypeError(`Cannot read the state: expected the bytes of getLocalState(), got ${typeName(state)}`);
  }
  const value = decode(state);
  if (
    typeof value !== "object" || value === null || !("version" in value && "strategy" in value && "snapshot" in value)
  ) {
    throw new TypeError("Cannot read the state: it was not made by getLocalState()");
  }
  const { version, strategy, snapshot } = value;
  if (version !== LOCAL_STATE_VERSION) {
    throw new TypeError(`Cannot read the state: its version is ${version}, expected ${LOCAL_STATE_VERSION}`);
  }
  if (strategy !== name) {
    throw new TypeError(`Cannot read the state: its strategy is "${strategy}", expected "${name}"`);
  }
  return snapshot;
}
