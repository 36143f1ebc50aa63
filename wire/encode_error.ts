// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The value cannot be encoded. It was not sent.
 *
 * @example A function cannot be sent
 * ```ts
 * import { EncodeError, startPeerService } from "@partisan/peer-service";
 * import { assertRejects } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await a.syncJoin(b.spec);
 *
 * await assertRejects(() => a.forwardMessage("b", "log", () => {}), EncodeError);
 * ```
 */
export class EncodeError extends Error {
  /** Always `"EncodeError"`. */
  override readonly name = "EncodeError";
}
