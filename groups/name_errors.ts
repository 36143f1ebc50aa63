// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The name has an owner already, or another node claimed it first.
 *
 * @example Who has it
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { Names, NameTakenError } from "@partisan/peer-service/groups";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * const names = new Names(node);
 * using _claim = await names.claim("printer");
 *
 * const error = await assertRejects(() => names.claim("printer"), NameTakenError, 'the owner is "a"');
 * assertEquals(error.owner, "a");
 * ```
 */
export class NameTakenError extends Error {
  /** Always `"NameTakenError"`. */
  override readonly name = "NameTakenError";
  /** The node that has the name, or is about to have it. */
  readonly owner: string;

  /**
   * For a claim that is refused.
   *
   * @param claimed The name.
   */
  constructor(claimed: string, owner: string) {
    super(`Cannot claim "${claimed}": the owner is "${owner}"`);
    this.owner = owner;
  }
}

/**
 * This node does not have a name any more that it had claimed: the reason of the claim's signal.
 *
 * @example The end of a claim
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { NameLostError, Names } from "@partisan/peer-service/groups";
 * import { assertInstanceOf } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * const claim = await new Names(node).claim("printer");
 * await node.stop();
 *
 * assertInstanceOf(claim.signal.reason, NameLostError);
 * ```
 */
export class NameLostError extends Error {
  /** Always `"NameLostError"`. */
  override readonly name = "NameLostError";
  /** The node that has the name now; `undefined` when this one gave it up itself. */
  readonly owner: string | undefined;

  /**
   * For a claim that ends.
   *
   * @param lost The name.
   * @param reason Reason, in half a sentence.
   */
  constructor(lost: string, reason: string, owner?: string) {
    super(`Cannot keep "${lost}": ${reason}`);
    this.owner = owner;
  }
}
