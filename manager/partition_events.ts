// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MemberStatuses } from "./member_status.ts";
import type { NodeContext } from "./node_context.ts";
import type { Part } from "./part.ts";

/** Tells when members have been out of reach for as long as silence is borne, and when that changes: where the cluster keeps a full mesh. */
export class PartitionEvents implements Part {
  readonly #context: NodeContext;
  readonly #statuses: MemberStatuses;
  #candidate = "";
  #told = "";

  constructor(context: NodeContext, statuses: MemberStatuses) {
    this.#context = context;
    this.#statuses = statuses;
  }

  /** Tells a state that two looks in a row have found: members that are lost together are lost within moments, not at one. */
  periodic(): void {
    const { members, settings, stopped, answerTimeout, runtime, emit } = this.#context;
    if (stopped || settings.strategy.isFullMesh !== true) return;
    const borneUntil = runtime.clock.wallTime() - answerTimeout;
    const known = [...members.keys()];
    const lost = known.filter((name) => {
      const { status, since } = this.#statuses.of(name)!;
      return status === "down" && since <= borneUntil;
    });
    const state = JSON.stringify(lost);
    const isSteady = state === this.#candidate;
    this.#candidate = state;
    if (!isSteady || state === this.#told || (lost.length === 0 && this.#told === "")) return;
    this.#told = lost.length === 0 ? "" : state;
    const gone = new Set(lost);
    const seen = known.filter((name) => !gone.has(name));
    emit("partition", { seen, known, majority: 2 * seen.length > known.length });
  }

  restart(): void {
    this.#candidate = this.#told = "";
  }
}
