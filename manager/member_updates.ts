// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeSpec } from "../wire/node_spec.ts";
import { BOOLEAN, checkOptions, type OptionKinds } from "../runtime/options.ts";
import { shown } from "../runtime/type_name.ts";
import { checkNodeSpec } from "../wire/node_spec_check.ts";
import { beginJoin } from "./join_requests.ts";
import type { Node } from "./node.ts";

/** Restricts, or allows, what `updateMembers` does. */
export interface UpdateMembersOptions {
  /**
   * Whether a list without this node means that it leaves the cluster, after it has removed the rest of the surplus.
   *
   * @default {false}
   */
  readonly removeSelf?: boolean | undefined;
}

const OPTIONS: OptionKinds<UpdateMembersOptions> = { removeSelf: BOOLEAN };

/** Makes the membership what an orchestrator says, one list after the other. */
export class MemberUpdates {
  readonly #node: Node;
  /** Attempts under way to join what the last list asked for, by name. */
  readonly #attempts = new Map<string, AbortController>();

  constructor(node: Node) {
    this.#node = node;
  }

  /**
   * Begins to join the missing, ends the attempts to join what is not in the list any more, and removes the surplus, this node last.
   *
   * @throws {TypeError | RangeError} When this node is not in the list and is not to be removed either, or something else in the list than
   * specifications: then nothing is done.
   */
  async update(given: readonly NodeSpec[], options?: UpdateMembersOptions): Promise<void> {
    const { context, overlay, self } = this.#node;
    context.checkRunning("update the members");
    const action = "Cannot update the members";
    const { removeSelf = false } = checkOptions(action, options, OPTIONS);
    if (!Array.isArray(given)) {
      throw new TypeError(`${action}: expected a list of node specifications, got ${shown(given)}`);
    }
    const specs = given.map(checkNodeSpec);
    const names = new Set(specs.map(({ name }) => name));
    if (!names.has(self.name) && !removeSelf) {
      throw new TypeError(
        `Cannot update the members: the list of ${specs.length} does not have this node, "${self.name}"; ` +
          "add its specification, or have it leave with { removeSelf: true }",
      );
    }
    for (const [name, attempt] of [...this.#attempts]) if (!names.has(name)) this.#end(name, attempt);
    const { joiners, leavers } = overlay.compare(specs);
    for (const spec of joiners) this.#join(spec);
    await this.#node.removeAll(leavers.filter(({ name }) => name !== self.name));
    if (!names.has(self.name)) await this.#node.leave();
  }

  #join(spec: NodeSpec): void {
    if (this.#attempts.has(spec.name) || spec.name === this.#node.self.name) return;
    const attempt = new AbortController();
    this.#attempts.set(spec.name, attempt);
    beginJoin(this.#node, spec, { signal: attempt.signal }).then(() => this.#forget(spec.name, attempt));
  }

  #end(name: string, attempt: AbortController): void {
    this.#forget(name, attempt);
    attempt.abort(new DOMException(`Cannot join "${name}": a later list of members does not have it`, "AbortError"));
  }

  #forget(name: string, attempt: AbortController): void {
    if (this.#attempts.get(name) === attempt) this.#attempts.delete(name);
  }
}
