// Copyright 2026 the Partisan peer-service authors. MIT license.

import { messageOf } from "../../runtime/message_of.ts";
import { firstOf } from "../values.ts";

/** A place for programs, with an address of its own. */
export interface Host {
  readonly hostname: string;
  /** A command that runs a program there: put it before the program. */
  readonly prefix: readonly string[];
}

/** Names of namespaces begin with it and the process that made them. */
const PREFIX = "partisan";
/** The first three numbers of each address: no network outside is reached from the namespaces, nor hidden by them. */
const SUBNET = "10.213.7";

/** All ways in which a switch comes to give a packet to a port. */
const DELIVERY = ["learning", "flood", "bcast_flood", "mcast_flood"];

/** Reason that hosts cannot be laid here, or not with cables that do what they are told; `undefined` when they can. */
export async function hostNetworkObstacle(...disturbance: string[]): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "it takes Linux, and root";
  try {
    await using network = await HostNetwork.lay(1);
    if (disturbance.length > 0) await network.disturb(...disturbance);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Hosts at the ports of one switch, all of them network namespaces of this machine. What is cut vanishes without a word, as it does
 * where a cable is pulled, and never on loopback.
 */
export class HostNetwork implements AsyncDisposable {
  readonly hosts: readonly Host[];
  readonly #id = `${PREFIX}-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;

  private constructor(count: number) {
    this.hosts = Array.from({ length: count }, (_, index) => ({
      hostname: `${SUBNET}.${index + 1}`,
      prefix: ["ip", "netns", "exec", this.#space(index)],
    }));
  }

  /** @throws {Error} When there is no `ip`, or it may not. */
  static async lay(count: number): Promise<HostNetwork> {
    await removeAbandoned();
    const network = new HostNetwork(count);
    try {
      await network.#lay();
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Has each cable delay, lose or mix up what hosts send: in the words of `tc … netem`. */
  async disturb(...how: string[]): Promise<void> {
    for (const index of this.hosts.keys()) {
      await run("tc", "-n", this.#space(index), "qdisc", "add", "dev", "cable", "root", "netem", ...how);
    }
  }

  /** Pulls the cable of one host. */
  async cut(host: number): Promise<void> {
    await this.#onSwitch("link", "set", `port${host}`, "nomaster");
  }

  /** Lets these hosts reach all others, but not each other. */
  async separate(...hosts: number[]): Promise<void> {
    for (const host of hosts) await this.#setPort(host, "isolated", "on");
  }

  /** Lets a host send, but receive nothing. */
  async deafen(host: number): Promise<void> {
    await this.#setPort(host, "fdb_flush", ...DELIVERY.flatMap((way) => [way, "off"]));
  }

  /** Undoes every cut. */
  async heal(): Promise<void> {
    for (const host of this.hosts.keys()) {
      await this.#onSwitch("link", "set", `port${host}`, "master", "switch");
      await this.#setPort(host, "isolated", "off", ...DELIVERY.flatMap((way) => [way, "on"]));
    }
  }

  /** Takes all of it away; programs that still run there keep their namespace until they end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const present = await namespaces();
    for (const name of present) if (name.startsWith(this.#id)) await run("ip", "netns", "delete", name);
  }

  async #lay(): Promise<void> {
    await run("ip", "netns", "add", this.#space("switch"));
    await this.#onSwitch("link", "add", "switch", "type", "bridge");
    await this.#onSwitch("link", "set", "switch", "up");
    for (const [index, { hostname }] of this.hosts.entries()) {
      const [space, port] = [this.#space(index), `port${index}`];
      await run("ip", "netns", "add", space);
      await this.#onSwitch("link", "add", port, "type", "veth", "peer", "name", "cable", "netns", space);
      await this.#onSwitch("link", "set", port, "master", "switch", "up");
      await run("ip", "-n", space, "address", "add", `${hostname}/24`, "dev", "cable");
      await run("ip", "-n", space, "link", "set", "lo", "up");
      await run("ip", "-n", space, "link", "set", "cable", "up");
    }
  }

  #space(host: number | "switch"): string {
    return `${this.#id}-${host}`;
  }

  #setPort(host: number, ...settings: string[]): Promise<unknown> {
    return this.#onSwitch("link", "set", `port${host}`, "type", "bridge_slave", ...settings);
  }

  #onSwitch(...args: string[]): Promise<unknown> {
    return run("ip", "-n", this.#space("switch"), ...args);
  }
}

/** Removes what processes left behind that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of await namespaces()) {
    const pid = name.split("-")[1];
    if (await isRunning(pid)) continue;
    await run("ip", "netns", "delete", name).catch(() => {
      // another node was quicker.
    });
  }
}

async function isRunning(pid: string | undefined): Promise<boolean> {
  try {
    await Deno.stat(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

async function namespaces(): Promise<string[]> {
  const lines = (await run("ip", "netns", "list")).split("\n");
  return lines.map((line) => firstOf(line.split(" "))).filter((name) => name.startsWith(`${PREFIX}-`));
}

async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run "${command} ${args.join(" ")}": ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}
