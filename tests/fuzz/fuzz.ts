// Copyright 2026 the Partisan peer-service authors. MIT license.

import { HandshakeRefusedError } from "../../connections/handshake/refusal.ts";
import { SealError } from "../../connections/noise/cipher_state.ts";
import { EncodeError } from "../../wire/encode_error.ts";
import { ProtocolError } from "../../wire/frame_reader.ts";
import { seededRandom } from "../seeded_random.ts";
import type { Target } from "./targets.ts";

/** Errors by which the readers of strange bytes say that they are strange. */
const CLEAR = [TypeError, RangeError, SyntaxError, ProtocolError, HandshakeRefusedError, SealError];
/** One input must not need so many milliseconds: that is a hang. */
const INPUT_MS_MAX = 5_000;

/** Result of some inputs. */
export interface FuzzResult {
  readonly inputs: number;
  readonly refused: number;
  /** Milliseconds that the slowest one took, pauses of the engine included. */
  readonly slowest: number;
}

/**
 * Hands mutated inputs to a target.
 *
 * @throws {Error} When one of them crashes it, or it takes too long, or it refuses without saying why; the message says which seed.
 */
export async function fuzz(target: Target, first: number, inputs: number): Promise<FuzzResult> {
  let refused = 0, slowest = 0;
  for (let seed = first; seed < first + inputs; seed++) {
    const start = performance.now();
    try {
      const pending = target.run(seededRandom(seed));
      if (pending instanceof Promise) await pending;
    } catch (error) {
      // The mutant itself had no MessagePack form.
      if (error instanceof EncodeError) continue;
      if (!isClear(error)) throw new Error(`${target.name}, seed ${seed}: ${error}`, { cause: error });
      refused++;
    }
    const elapsed = performance.now() - start;
    slowest = Math.max(slowest, elapsed);
    if (elapsed > INPUT_MS_MAX) throw new Error(`${target.name}, seed ${seed}: took ${Math.round(elapsed)} ms`);
  }
  return { inputs, refused, slowest };
}

function isClear(error: unknown): boolean {
  // The one end of a stream that no node is to blame for.
  if (error instanceof Error && error.message === "Cannot read a frame: the stream ended within it") return true;
  // What the engine throws by itself ("undefined is not iterable") is a bug of ours, though it may be a TypeError.
  return CLEAR.some((kind) => error instanceof kind) &&
    /^(Cannot (?!read propert|convert|mix|set propert)|Invalid |Malformed |Corrupt )/.test((error as Error).message);
}
