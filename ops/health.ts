// Copyright 2026 the Partisan peer-service authors. MIT license.

import { DRAINING_ATTRIBUTE } from "../manager/draining.ts";
import type { DiscoveryStatus } from "../manager/discovery.ts";
import type { Node } from "../manager/node.ts";
import { messageOf } from "../runtime/message_of.ts";
import { formatAddress } from "../wire/address.ts";

/** One of the conditions that a probe looks at. */
export interface HealthCheck {
  /** Name of the check, in kebab case: stable, for programs. */
  readonly name: string;
  /** Whether it is as it should be. */
  readonly ok: boolean;
  /** Result of the check, in a sentence for people. */
  readonly detail: string;
}

/** Looks whether a node has started, is ready for work, and is alive. */
export class Health {
  readonly #node: Node;
  #hasStarted = false;

  constructor(node: Node) {
    this.#node = node;
  }

  /** Whether the node has found its place in a cluster once. It stays started, whatever becomes of the cluster. */
  startup(): HealthCheck[] {
    const joined = this.#joined();
    this.#hasStarted ||= joined.ok;
    const check = this.#hasStarted && !joined.ok ? checked("joined", true, "it had joined, or was the first") : joined;
    return [this.#running(), check];
  }

  /** Whether others should send it work. */
  ready(): HealthCheck[] {
    return [this.#running(), this.#joined(), this.#taking(), this.#responsive()];
  }

  /** Whether it is of use to leave the process as it is: one that fails here has to be started again. */
  alive(): HealthCheck[] {
    return [this.#running(), this.#heartbeats()];
  }

  #running(): HealthCheck {
    const { stopped } = this.#node.context;
    return checked("running", !stopped, stopped ? "the node was stopped" : "the node runs");
  }

  #joined(): HealthCheck {
    const { context: { members }, entry, discovering } = this.#node;
    const others = members.size - 1;
    if (others > 0) return checked("joined", true, `it is one of ${members.size} members`);
    if (entry.hasLeft) return checked("joined", false, "it has left its cluster");
    if (entry.pending > 0) return checked("joined", false, "it was told to join, and has not yet");
    if (entry.failure !== null) {
      return checked("joined", false, `it could not join: ${messageOf(entry.failure.error)}`);
    }
    const sources = discovering.status();
    if (sources.length === 0) return checked("joined", true, "it is the first: it was told to join no other node");
    const unsure = sources.map(whyUnsure).find((reason) => reason !== null);
    return unsure === undefined
      ? checked("joined", true, "it is the first: its sources name no other node")
      : checked("joined", false, unsure);
  }

  #taking(): HealthCheck {
    const { attributes, self } = this.#node;
    const isDraining = attributes.get(self.name, DRAINING_ATTRIBUTE) === true;
    return checked("not-draining", !isDraining, isDraining ? "the node drains: it takes no new work" : "it takes work");
  }

  #responsive(): HealthCheck {
    const { context: { runtime, answerTimeout }, liveness } = this.#node;
    const delay = Math.round(liveness.delay.worst(runtime.clock.now()));
    const detail = `the event loop was held for ${delay} ms at most lately, others bear ${answerTimeout} ms`;
    return checked("event-loop", delay < answerTimeout, detail);
  }

  #heartbeats(): HealthCheck {
    const { context: { runtime, answerTimeout }, liveness } = this.#node;
    const overdue = Math.round(liveness.delay.overdue(runtime.clock.now()));
    return checked("heartbeat", overdue < answerTimeout, `the next look of the failure detector is ${overdue} ms late`);
  }
}

/** Reason for which a source leaves it open whether there is another node; `null` when it says that there is none. */
function whyUnsure({ name, at, error, addresses }: DiscoveryStatus): string | null {
  if (at === null) return `"${name}" has not answered yet`;
  if (error !== null) return `"${name}" cannot be asked: ${messageOf(error)}`;
  const other = addresses.find(({ outcome }) => outcome !== "self");
  if (other === undefined) return null;
  const { address, outcome } = other;
  return `"${name}" names ${formatAddress(address)}, which was not joined: ${outcome}`;
}

function checked(name: string, ok: boolean, detail: string): HealthCheck {
  return { name, ok, detail };
}
