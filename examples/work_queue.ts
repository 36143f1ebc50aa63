// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * A work queue that loses nothing when workers die: a job is handed to the worker that is least busy, and again to another one when that
 * goes down before it has answered. So a job may be begun twice: let jobs be such that this does no harm.
 *
 * @module
 */

import { NotConnectedError, OverloadedError, type PeerServiceManager } from "@partisan/peer-service";
import { type GroupMembership, Groups } from "@partisan/peer-service/groups";
import { startNode } from "./node.ts";

const WORKERS = "workers";

/** Has this node work. @param handle Does a job and returns its result. */
export function work<Job>(
  node: PeerServiceManager,
  handle: (job: Job, signal: AbortSignal) => unknown,
): GroupMembership {
  return new Groups(node).join(WORKERS, { handler: (job: Job, { signal }) => handle(job, signal) });
}

/** Hands jobs to workers, wherever they are. */
export class WorkQueue {
  readonly #node: PeerServiceManager;
  readonly #groups: Groups;

  constructor(node: PeerServiceManager) {
    this.#node = node;
    this.#groups = new Groups(node);
  }

  /**
   * Resolves with the result of a job, however many workers die over it.
   *
   * @throws {CallError} When the job itself fails.
   */
  async run(job: unknown): Promise<unknown> {
    for (;;) {
      try {
        return await this.#groups.call(WORKERS, job, { pick: "least-busy", signal: this.#node.stopSignal });
      } catch (error) {
        if (!(error instanceof NotConnectedError || error instanceof OverloadedError)) throw error;
        await this.#pause();
      }
    }
  }

  /** No worker is there, or the one that had the job has died: it is offered again a moment later. */
  #pause(): Promise<void> {
    return new Promise((resolve) => this.#node.runtime.clock.schedule(100, resolve));
  }
}

if (import.meta.main) {
  const node = await startNode();
  if (Deno.args.includes("--worker")) {
    work(node, async (job: number) => {
      console.log(`job ${job}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return job * job;
    });
  } else {
    const queue = new WorkQueue(node);
    const jobs = Array.from({ length: 100 }, (_, job) => job);
    await Promise.all(jobs.map(async (job) => console.log(`${job} × ${job} = ${await queue.run(job)}`)));
    console.log("all is done");
  }
}
