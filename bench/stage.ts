// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Contestant, type ContestantName, contestantOf, type Link } from "./contestant.ts";
import type { LinkRelay } from "./link_relay.ts";
import type { MeshNode } from "./mesh_child.ts";
import type { ScaleCluster } from "./scale_cluster.ts";

/** State of one process of a measurement between two commands. */
export class Stage {
  /** Promise that a command left for a later one to wait for. */
  pending: Promise<unknown> = Promise.resolve();
  /** The transfer in bulk next to an echo. */
  bulk: { seen: number; running: boolean } = { seen: 0, running: false };
  /** The connection of a plain echo. */
  plain: Deno.Conn | undefined;
  /** Nodes of a mesh. */
  mesh: MeshNode[] = [];
  /** A long way between two other processes. */
  relay: LinkRelay | undefined;
  /** Nodes of a cluster at scale. */
  cluster!: ScaleCluster;
  #end: Contestant | undefined;

  /** This process's end of the pair. */
  get end(): Contestant {
    if (this.#end === undefined) throw new TypeError("Cannot measure: this end was not opened");
    return this.#end;
  }

  /** Opens this end. */
  async open({ contestant, link }: { contestant: ContestantName; link: Link }): Promise<void> {
    this.#end = await contestantOf(contestant, link);
  }
}
