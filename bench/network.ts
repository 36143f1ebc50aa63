// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Two network namespaces with a cable between them that takes its time. */
export interface SlowNetwork extends AsyncDisposable {
  /** Where the server is. */
  readonly hostname: string;
  /** Commands that run the server and the client. */
  readonly prefixes: readonly [server: readonly string[], client: readonly string[]];
}

const SERVER = "partisan-bench-server";
const CLIENT = "partisan-bench-client";
const SERVER_ADDRESS = "10.213.7.1";
const CLIENT_ADDRESS = "10.213.7.2";
/** The cable must hold what is under way: a message of 512 KiB for each of 128 pairs. */
const PACKETS_MAX = 100_000;

/** Why there can be no slow network here; `undefined` when there can. */
export async function slowNetworkObstacle(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "it takes Linux, and root";
  try {
    await using _ = await slowNetwork(1);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : `${error}`;
  }
}

/** Lays the cable. @param delay Milliseconds each way. */
export async function slowNetwork(delay: number): Promise<SlowNetwork> {
  const network: SlowNetwork = {
    hostname: SERVER_ADDRESS,
    prefixes: [["ip", "netns", "exec", SERVER], ["ip", "netns", "exec", CLIENT]],
    async [Symbol.asyncDispose]() {
      for (const name of [SERVER, CLIENT]) await run("ip", "netns", "delete", name).catch(() => {});
    },
  };
  await network[Symbol.asyncDispose]();
  try {
    for (const name of [SERVER, CLIENT]) await run("ip", "netns", "add", name);
    const ends = ["link", "add", "bench0", "netns", SERVER, "type", "veth", "peer", "name", "bench0", "netns", CLIENT];
    await run("ip", ...ends);
    for (const [name, address] of [[SERVER, SERVER_ADDRESS], [CLIENT, CLIENT_ADDRESS]] as const) {
      await run("ip", "-n", name, "address", "add", `${address}/24`, "dev", "bench0");
      await run("ip", "-n", name, "link", "set", "lo", "up");
      await run("ip", "-n", name, "link", "set", "bench0", "up");
      const how = ["qdisc", "add", "dev", "bench0", "root", "netem", "delay", `${delay}ms`, "limit", `${PACKETS_MAX}`];
      await run("tc", "-n", name, ...how);
    }
    return network;
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).output();
  if (!success) {
    throw new Error(`Cannot run "${command} ${args.join(" ")}": ${new TextDecoder().decode(stderr).trim()}`);
  }
}
