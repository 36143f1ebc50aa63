// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { checkOptions, FUNCTION, type OptionKinds, STRING } from "../runtime/options.ts";
import { type ConflictListener, NameClaims } from "./name_claims.ts";

/** Options of {@linkcode Names}. */
export interface NamesOptions {
  /**
   * Decides which of two claims stays where two nodes got a name that could not reach each other. It is called once, on the node whose claim is
   * the later one, and told both; it returns one of them, or nothing for the later one. Give all nodes the same.
   *
   * @default {the later claim stays}
   */
  readonly onConflict?: ConflictListener | undefined;
  /**
   * Keeps names apart that have nothing to do with each other, 1 to 190 characters.
   *
   * @default {"default"}
   */
  readonly scope?: string | undefined;
}

const KINDS: OptionKinds<NamesOptions> = { onConflict: FUNCTION, scope: STRING };

/** A name that this node has, until it gives it up or loses it. */
export interface NameClaim extends Disposable {
  /** The name. */
  readonly name: string;
  /** Aborted with a `NameLostError` once this node does not have the name any more: given up, lost to another node, drained or stopped. */
  readonly signal: AbortSignal;
}

/**
 * Names that at most one node has, of all nodes that can reach each other: which node is the printer, holds the session, runs the game.
 *
 * A claim asks every node that can be reached, so it takes a round trip. The names of a node that is down are free. Should it come back, or
 * should two parts of a cluster meet that each have an owner, one of the two keeps the name, and the other one's claim ends with a reason.
 *
 * @example A name with one owner
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { Names } from "@partisan/peer-service/groups";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using a = await startPeerService({ name: "a" });
 * await using b = await startPeerService({ name: "b" });
 * await b.syncJoin(a.spec);
 * const [atA, atB] = [new Names(a), new Names(b)];
 * const claim = await atA.claim("printer", { tray: 2 });
 *
 * assertEquals(atA.whereis("printer"), { node: "a", meta: { tray: 2 } });
 * await assertRejects(() => atB.claim("printer"), Error, 'the owner is "a"');
 * claim[Symbol.dispose]();
 * assertEquals(claim.signal.aborted, true);
 * using _mine = await atB.claim("printer");
 * ```
 */
export class Names {
  readonly #claims: NameClaims;
  readonly #onConflict: ConflictListener | undefined;

  /**
   * Costs little: several over one node share what they know.
   *
   * @throws {TypeError} When an option can be none.
   */
  constructor(node: PeerServiceManager, options: NamesOptions = {}) {
    const { onConflict, scope = "default" } = checkOptions("Cannot make names", options, KINDS);
    this.#claims = NameClaims.of(node, scope);
    this.#onConflict = onConflict;
  }

  /**
   * Claims a name for this node. Resolves once every node that can be reached has agreed; a node that does not answer is waited for until it
   * counts as down. Over a partial view the nodes that this one knows are asked, and waited for as long as silence is borne.
   *
   * @param name 1 to 200 characters.
   * @param meta Metadata of the claim: any value that a message may have. It counts into the bytes that the attributes of this node may take.
   * @returns Gives the name up when it is disposed of.
   * @throws {NameTakenError} When the name has an owner, or another node claimed it earlier.
   * @throws {TypeError | RangeError} When the name can be none, or the attributes of this node would be too large.
   * @throws {EncodeError} When `meta` cannot be encoded.
   */
  async claim(name: string, meta: unknown = null): Promise<NameClaim> {
    const signal = await this.#claims.claim(name, meta, this.#onConflict);
    return { name, signal, [Symbol.dispose]: () => this.#claims.release(name, signal) };
  }

  /**
   * Holder of a name, as this node sees it, with the metadata of its claim. `undefined` when no node that can be reached has
   * the name.
   */
  whereis(name: string): { node: string; meta: unknown } | undefined {
    const [holder] = this.#claims.holders(name);
    return holder === undefined ? undefined : { node: holder.node, meta: holder.meta };
  }
}
