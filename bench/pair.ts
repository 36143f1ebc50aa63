// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BenchProcess } from "./bench_process.ts";
import type { ContestantName, Link } from "./contestant.ts";

/** Two connected processes. */
export class Pair implements AsyncDisposable {
  readonly contestant: ContestantName;
  readonly server: BenchProcess;
  readonly client: BenchProcess;

  private constructor(contestant: ContestantName, server: BenchProcess, client: BenchProcess) {
    this.contestant = contestant;
    this.server = server;
    this.client = client;
  }

  /** @param prefixes Commands that run the server and the client, such as `ip netns exec …`. */
  static async start(
    contestant: ContestantName,
    link: Link = {},
    prefixes: readonly [server: readonly string[], client: readonly string[]] = [[], []],
  ): Promise<Pair> {
    const server = new BenchProcess(prefixes[0]);
    const client = new BenchProcess(prefixes[1]);
    const pair = new Pair(contestant, server, client);
    try {
      await Promise.all([server, client].map((end) => end.call("open", { contestant, link })));
      await client.call("connect", { address: await server.call("listen", {}) });
      return pair;
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}
