// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Connection } from "../connections/connection.ts";
import type { Peer } from "../connections/peer.ts";
import { WaitingLine } from "./waiting_line.ts";

/** Senders that wait for room in a slot: in the connection that is there, or in one that it has replaced. */
interface SlotLine {
  readonly channel: string;
  readonly index: number;
  readonly line: WaitingLine;
}

/** The lines of senders that wait for room in a connection: one for each slot, whichever connection is in it. */
export class SlotLines {
  /** By peer. One for which none waits is not in it. */
  readonly #lines = new Map<Peer, SlotLine[]>();

  /** Whether any sender waits for room anywhere. */
  get waiting(): boolean {
    return this.#lines.size > 0;
  }

  /** Whether any sender waits for room in a connection's slot. */
  has(connection: Connection<Peer>): boolean {
    return this.#lines.size > 0 && this.#at(connection) !== undefined;
  }

  /** The line for a connection's slot; a new one where none waits. */
  of(connection: Connection<Peer>): WaitingLine {
    const present = this.#at(connection);
    if (present !== undefined) return present;
    const { peer, channel, index, queue } = connection;
    const lines = this.#lines.get(peer) ?? [];
    const slot = { channel, index, line: new WaitingLine(queue, () => this.#remove(peer, slot)) };
    lines.push(slot);
    this.#lines.set(peer, lines);
    return slot.line;
  }

  /** Ends the waits for a node. */
  end(node: string, reason: Error): void {
    for (const [peer, lines] of this.#lines) {
      if (peer.name === node) { for (const { line } of [...lines]) line.end(reason); }
    }
  }

  /** A sender that waits there for a connection that this one has replaced comes first. */
  #at({ peer, channel, index }: Connection<Peer>): WaitingLine | undefined {
    return this.#lines.get(peer)?.find((slot) => slot.channel === channel && slot.index === index)?.line;
  }

  #remove(peer: Peer, slot: SlotLine): void {
    const lines = this.#lines.get(peer)!;
    lines.splice(lines.indexOf(slot), 1);
    if (lines.length === 0) this.#lines.delete(peer);
  }
}
