// Copyright 2026 the Partisan peer-service authors. MIT license.

import { answerOf, failureOf } from "../groups/answer.ts";
import { callWhileSeen } from "../groups/call_while_seen.ts";
import { hasLooked } from "../groups/has_looked.ts";
import { sharedBy } from "../groups/shared.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { CallError } from "../messaging/errors.ts";
import { sleep } from "../runtime/sleep.ts";
import { rendezvous } from "../wire/rendezvous.ts";
import { Candidates } from "./candidates.ts";

/** Most requests that a node holds: a held one and its handler both count among the promises that may be pending, 10,000 by default. */
const HELD_MAX = 4_000;

/** Number of looks in a heartbeat interval at whether a node that holds requests has found others. */
const LOOKS = 4;

/** The answer of a node that did not handle a request, in addition to those of `answer.ts`. Part of the wire protocol as well. */
const REFUSED = 2;

/** Takes requests for the keys that this node owns, for all placements over one node and one group. */
export class KeyServer implements Disposable {
  readonly candidates: Candidates;
  readonly #node: PeerServiceManager;
  readonly #handler: string;
  /** Description of the placements that it is for. */
  readonly #of: string;
  readonly #closed = new AbortController();
  readonly #forget: () => void;
  #users = 0;
  #held = 0;
  /** Whether this node has met others, having looked for all of them. */
  #hasMet = false;

  private constructor(node: PeerServiceManager, group: string | undefined, forget: () => void) {
    this.#node = node;
    this.#handler = `placement/${group ?? ""}`;
    this.#of = group === undefined ? "" : ` over the group "${group}"`;
    this.#forget = forget;
    node.register(this.#handler, (request: unknown, { signal }) => this.#take(request, signal));
    this.candidates = new Candidates(node, group);
  }

  /** That of a node and a group, for one more user. */
  static of(node: PeerServiceManager, group: string | undefined): KeyServer {
    const shared = sharedBy<{ server: KeyServer | null }>(node, `placement/${group ?? ""}`, () => ({ server: null }));
    shared.server ??= new KeyServer(node, group, () => void (shared.server = null));
    shared.server.#users++;
    return shared.server;
  }

  /** Has one user less, and ends with the last one: what is held is refused then. */
  [Symbol.dispose](): void {
    if (--this.#users > 0) return;
    this.#forget();
    this.#node.unregister(this.#handler);
    this.candidates[Symbol.dispose]();
    this.#closed.abort();
  }

  /** Has a node serve a request if it owns the key. @returns Answer for {@linkcode resultOf}. */
  async ask(owner: string, request: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    try {
      return await callWhileSeen(this.#node, {
        to: owner,
        name: this.#handler,
        message: request,
        signal,
        what: "Cannot wait for the owner of a key",
        watch: (end) =>
          this.candidates.listen(({ left }) => {
            if (left.includes(owner)) end();
          }),
      });
    } catch (error) {
      const isMissing = error instanceof CallError && error.remote.name === "NoHandlerError" &&
        error.message.includes(`"${this.#handler}"`);
      if (!isMissing) throw error;
      const message = `"${owner}" has made no Placement${this.#of}: every node that may own keys makes one`;
      throw new CallError(message, { name: "NoHandlerError", message });
    }
  }

  async #take(request: unknown, signal: AbortSignal): Promise<unknown> {
    const [key, name, message] = Array.isArray(request) ? request : [];
    if (typeof key !== "string" || typeof name !== "string") {
      throw new TypeError("Cannot read a request for the owner of a key");
    }
    try {
      const refusal = await this.#settle(key, signal);
      if (refusal !== undefined) return refusal;
      return answerOf(await this.#node.call(this.#node.name, name, message, { signal }));
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof CallError)) throw error;
      return failureOf(error.remote);
    }
  }

  /** Waits until this node may serve a key. @returns Reason why it may not, if so. */
  async #settle(key: string, signal: AbortSignal): Promise<readonly unknown[] | undefined> {
    const { interval, missed } = this.#node.heartbeat;
    const { clock } = this.#node.runtime;
    const until = clock.now() + interval * (missed + 1);
    for (;;) {
      const [owner] = rendezvous(key, this.candidates.present.values());
      if (owner?.name !== this.#node.name) return this.#notOwner(key, owner?.name);
      const wait = this.#hasLooked() ? this.#arrivesIn(key) : interval / LOOKS;
      if (wait <= 0) return undefined;
      if (clock.now() >= until) return this.#moving(key, "it still looks for other nodes, or nodes come and go");
      if (this.#held >= HELD_MAX) return this.#moving(key, `${HELD_MAX} requests wait already`);
      this.#held++;
      try {
        await sleep(clock, wait, AbortSignal.any([signal, this.#closed.signal]));
      } catch (error) {
        if (!this.#closed.signal.aborted) throw error;
        return this.#notOwner(key, undefined);
      } finally {
        this.#held--;
      }
    }
  }

  /** Whether this node has looked for others, and has met those that it then heard of: until then it cannot tell who owns what. */
  #hasLooked(): boolean {
    if (this.#hasMet) return true;
    const has = hasLooked(this.#node) && !this.#isMeeting();
    this.#hasMet = has && this.#node.connected().length > 0;
    return has;
  }

  /** Whether there are members that were not reached yet, and not for as long as silence is borne. */
  #isMeeting(): boolean {
    const { heartbeat: { interval, missed }, runtime } = this.#node;
    const patience = runtime.clock.wallTime() - interval * missed;
    return this.#node.members({ status: "down" }).some((name) => (this.#node.memberInfo(name)?.since ?? 0) > patience);
  }

  /** Milliseconds until a key that has just come here must have been given up by its former owner, if that may still be there. */
  #arrivesIn(key: string): number {
    const { interval } = this.#node.heartbeat;
    const now = this.#node.runtime.clock.now();
    let wait = 0;
    for (const { at, former, vanished } of this.candidates.transitionsSince(now - interval)) {
      const owner = rendezvous(key, former)[0]?.name;
      if (owner === undefined || owner === this.#node.name) continue;
      if (this.candidates.present.has(owner) || vanished.has(owner)) wait = Math.max(wait, at + interval - now);
    }
    return wait;
  }

  #notOwner(key: string, owner = "none"): readonly unknown[] {
    return [REFUSED, "NotOwnerError", `Cannot serve "${key}" on "${this.#node.name}": the owner is "${owner}"`];
  }

  #moving(key: string, why: string): readonly unknown[] {
    const message = `Cannot serve "${key}" on "${this.#node.name}" yet, ask again: ${why}`;
    return [REFUSED, "OwnershipMovingError", message];
  }
}

/** Whether an owner has refused to serve a key. */
export function isRefusal(answer: unknown): boolean {
  return Array.isArray(answer) && answer[0] === REFUSED;
}
