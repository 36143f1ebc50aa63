// Copyright 2026 the Partisan peer-service authors. MIT license.

import { decode } from "../../wire/message_pack_decode.ts";
import { forEachSeed } from "../seeded_random.ts";

/** Hands over the values of encodings in which some bytes are wrong, as far as they can be decoded. */
export function forEachBrokenValue(encodings: readonly Uint8Array[], take: (value: unknown) => void): void {
  forEachSeed(3_000, (random) => {
    const broken = random.pick(encodings).slice();
    for (let flips = 1 + random.int(3); flips > 0; flips--) broken[random.int(broken.length)] = random.int(256);
    let value: unknown;
    try {
      value = decode(broken);
    } catch {
      return;
    }
    take(value);
  });
}
