// Copyright 2026 the Partisan peer-service authors. MIT license.

import process from "node:process";
import { type NodeSpec, type PeerServiceManager, startPeerService } from "../mod.ts";
import type { Nothing } from "./commands.ts";
import type { Stage } from "./stage.ts";

const LOOK_EVERY_MS = 2;
/** Connections per pair: those of the channels "membership" and "default". */
const CONNECTIONS = 2;

/** One node of a mesh: ours, or nothing but sockets. */
export interface MeshNode {
  /** Address for the others. */
  readonly address: string;
  /** Connects with the others, the first of which is the seed. Resolves when all `addresses.length` are connected with it. */
  join(addresses: readonly string[], index: number): Promise<void>;
  close(): Promise<void>;
  /** Bytes received so far, if that is known. */
  bytesIn(): number;
}

/** Starts nodes in this process. @returns Their addresses. */
export async function openMesh(
  stage: Stage,
  { contestant, nodes }: { contestant: "raw" | "ours"; nodes: number },
): Promise<string[]> {
  const open = (): Promise<MeshNode> => contestant === "raw" ? Promise.resolve(new RawMeshNode()) : OurMeshNode.start();
  stage.mesh = await Promise.all(Array.from({ length: nodes }, open));
  return stage.mesh.map(({ address }) => address);
}

/** Has the nodes of this process join. The first one of them is number `first` among all. */
export async function joinMesh(
  { mesh }: Stage,
  { addresses, first }: { addresses: string[]; first: number },
): Promise<void> {
  await Promise.all(mesh.map((node, index) => node.join(addresses, first + index)));
}

/** Stops the nodes. */
export async function closeMesh(stage: Stage, _: Nothing): Promise<void> {
  await Promise.all(stage.mesh.map((node) => node.close()));
  stage.mesh = [];
}

/** Cost of the nodes of this process while nothing happens. */
export interface IdleReport {
  /** Share of one processor. */
  readonly cpu: number;
  /** Bytes received per second. */
  readonly bytes: number;
}

/** Does nothing for a while, and says what that took. */
export async function idleMesh({ mesh }: Stage, { seconds }: { seconds: number }): Promise<IdleReport> {
  const bytesIn = () => mesh.reduce((sum, node) => sum + node.bytesIn(), 0);
  const before = { cpu: process.cpuUsage(), bytes: bytesIn(), time: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const microseconds = 1000 * (performance.now() - before.time);
  const { user, system } = process.cpuUsage(before.cpu);
  return { cpu: (user + system) / microseconds, bytes: (bytesIn() - before.bytes) / microseconds * 1e6 };
}

/** Memory that this process has to itself, in bytes. */
export function ownMemory(_stage: Stage, _: Nothing): number {
  try {
    const rollup = Deno.readTextFileSync("/proc/self/smaps_rollup");
    const lines = rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm);
    return 1024 * lines.reduce((sum, [, kibibytes]) => sum + Number(kibibytes), 0);
  } catch {
    return Deno.memoryUsage().rss;
  }
}

class OurMeshNode implements MeshNode {
  readonly #node: PeerServiceManager;
  readonly address: string;

  private constructor(node: PeerServiceManager) {
    this.#node = node;
    this.address = JSON.stringify(node.spec);
  }

  static async start(): Promise<OurMeshNode> {
    return new OurMeshNode(await startPeerService());
  }

  async join(addresses: readonly string[], index: number): Promise<void> {
    const node = this.#node;
    // Looking costs time as well: only when every other node is there, or was before.
    const up = new Set<string>();
    const others = addresses.length - 1;
    const { promise: allUp, resolve } = Promise.withResolvers<void>();
    using _ = node.onUp("*", (name) => up.add(name).size >= others && resolve(), { channel: "default" });
    if (index > 0) await node.join(JSON.parse(addresses[0]!) as NodeSpec);
    if (others > 0) await allUp;
    const complete = () =>
      node.members().length === addresses.length &&
      node.members().every((name) => node.isFullyConnected(name));
    while (!complete()) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }

  close(): Promise<void> {
    return this.#node.stop();
  }

  bytesIn(): number {
    return Object.values(this.#node.stats().peers).reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  }
}

class RawMeshNode implements MeshNode {
  readonly address: string;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.TcpConn[] = [];
  #wanted = Infinity;
  #complete = Promise.withResolvers<void>();

  constructor() {
    this.address = JSON.stringify(this.#listener.addr);
    this.#accept();
  }

  async join(addresses: readonly string[], index: number): Promise<void> {
    this.#wanted = (addresses.length - 1) * CONNECTIONS;
    const dial = async (address: string) => {
      const { hostname, port }: Deno.NetAddr = JSON.parse(address);
      this.#take(await Deno.connect({ hostname, port }));
    };
    const others = addresses.slice(0, index);
    await Promise.all(others.flatMap((address) => Array.from({ length: CONNECTIONS }, () => dial(address))));
    this.#look();
    await this.#complete.promise;
  }

  close(): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    return Promise.resolve();
  }

  bytesIn(): number {
    return 0;
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) this.#take(conn);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
    }
  }

  #take(conn: Deno.TcpConn): void {
    conn.setNoDelay(true);
    this.#conns.push(conn);
    this.#look();
  }

  #look(): void {
    if (this.#conns.length >= this.#wanted) this.#complete.resolve();
  }
}
