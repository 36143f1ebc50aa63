// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Host, HostNetwork, hostNetworkObstacle } from "../tests/cluster/host_network.ts";

/** Two hosts with a cable between them that takes its time. */
export interface SlowNetwork extends AsyncDisposable {
  /** Where the server is. */
  readonly hostname: string;
  /** Commands that run the server and the client. */
  readonly prefixes: readonly [server: readonly string[], client: readonly string[]];
}

/** The cable must hold what is under way: a message of 512 KiB for each of 128 pairs. */
const PACKETS_MAX = 100_000;

/** Why there can be no slow network here; `undefined` when there can. */
export function slowNetworkObstacle(): Promise<string | undefined> {
  return hostNetworkObstacle(...delayed(1));
}

/** Lays the cable. @param delay Milliseconds each way. */
export async function slowNetwork(delay: number): Promise<SlowNetwork> {
  const network = await HostNetwork.lay(2);
  try {
    await network.disturb(...delayed(delay));
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
  const [server, client] = network.hosts as [Host, Host];
  return {
    hostname: server.hostname,
    prefixes: [server.prefix, client.prefix],
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}

function delayed(delay: number): string[] {
  return ["delay", `${delay}ms`, "limit", `${PACKETS_MAX}`];
}
