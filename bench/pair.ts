// Copyright 2026 the Partisan peer-service authors. MIT license.

import { makeAuthority, makeCertificate } from "../cli/certificates.ts";
import type { TlsCredentials } from "../mod.ts";
import { BenchProcess } from "./bench_process.ts";
import type { LongWay } from "./cable.ts";
import type { ContestantName, Link } from "./contestant.ts";

const HOUR_MS = 3_600_000;

/** Two connected processes. */
export class Pair implements AsyncDisposable {
  readonly contestant: ContestantName;
  readonly server: BenchProcess;
  readonly client: BenchProcess;

  readonly #relay: BenchProcess | undefined;

  private constructor(contestant: ContestantName, server: BenchProcess, client: BenchProcess, relay?: BenchProcess) {
    this.contestant = contestant;
    this.#relay = relay;
    this.server = server;
    this.client = client;
  }

  /** @param way Network between the two, if more than loopback. */
  static async start(contestant: ContestantName, link: Link = {}, way?: LongWay): Promise<Pair> {
    const server = new BenchProcess(link.processors?.server);
    const client = new BenchProcess(link.processors?.client);
    const relay = way && new BenchProcess();
    const pair = new Pair(contestant, server, client, relay);
    try {
      const trusted = link.trust === "tls" ? { ...link, credentials: await credentials() } : link;
      const fronts = way && await frontsOf(relay!, way);
      const open = (end: BenchProcess, front?: Partial<Link>) =>
        end.call("open", { contestant, link: { ...trusted, ...front } });
      await Promise.all([open(server, fronts?.server), open(client, fronts?.client)]);
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
    await this.#relay?.[Symbol.asyncDispose]();
  }
}

/** Puts a relay in front of two ports, at which the ends will listen. */
async function frontsOf(relay: BenchProcess, way: LongWay): Promise<Record<"server" | "client", Partial<Link>>> {
  const [far, near] = freePorts(2) as [number, number];
  const fronts = await relay.call("openRelay", { way, near: { port: near }, far: { port: far } });
  return { server: { port: far, front: fronts.far }, client: { port: near, front: fronts.near } };
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  return listeners.map((listener) => {
    listener.close();
    return (listener.addr as Deno.NetAddr).port;
  });
}

/** A certificate for both ends, of an authority made for it. */
async function credentials(): Promise<TlsCredentials> {
  const now = Date.now();
  const validity = { from: new Date(now - HOUR_MS), to: new Date(now + HOUR_MS) };
  const authority = await makeAuthority("bench", validity);
  return { ...await makeCertificate(authority, ["bench"], validity), ca: authority.cert };
}
