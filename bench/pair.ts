// Copyright 2026 the Partisan peer-service authors. MIT license.

import { makeAuthority, makeCertificate } from "../cli/certificates.ts";
import type { TlsCredentials } from "../mod.ts";
import { BenchProcess } from "./bench_process.ts";
import type { ContestantName, Link } from "./contestant.ts";

const HOUR_MS = 3_600_000;

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
      const protectedLink = link.trust === "tls" ? { ...link, credentials: await credentials() } : link;
      await Promise.all([server, client].map((end) => end.call("open", { contestant, link: protectedLink })));
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

/** A certificate for both ends, of an authority made for it. */
async function credentials(): Promise<TlsCredentials> {
  const now = Date.now();
  const validity = { from: new Date(now - HOUR_MS), to: new Date(now + HOUR_MS) };
  const authority = await makeAuthority("bench", validity);
  return { ...await makeCertificate(authority, ["bench"], validity), ca: authority.cert };
}
