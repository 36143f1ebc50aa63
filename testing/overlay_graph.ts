// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Reach of a message that every node passes on once, to all its neighbours but the one that it came from. */
export interface FloodResult {
  /** The share of nodes that it reached, from 0 to 1. */
  readonly reliability: number;
  /** Number of times that it was sent. */
  readonly messages: number;
  /**
   * Relative message redundancy (Leitão, Pereira, Rodrigues: "Epidemic broadcast trees", SRDS 2007): messages beyond the one
   * that each reached node needs, per node. 0 is a tree.
   */
  readonly redundancy: number;
  /** The greatest distance that it went. */
  readonly hops: number;
}

/** An undirected graph of nodes, to be measured. */
export class OverlayGraph {
  readonly #neighbours: readonly (readonly number[])[];

  /** @param neighboursOf The neighbours of a node; those that are not among `names` do not count. */
  constructor(names: readonly string[], neighboursOf: (name: string) => Iterable<string>) {
    const indices = new Map(names.map((name, index) => [name, index]));
    const neighbours = names.map(() => new Set<number>());
    for (const [index, name] of names.entries()) {
      for (const neighbour of neighboursOf(name)) {
        const other = indices.get(neighbour);
        if (other === undefined || other === index) continue;
        neighbours[index]!.add(other);
        neighbours[other]!.add(index);
      }
    }
    this.#neighbours = neighbours.map((set) => [...set]);
  }

  /** Number of nodes. */
  get size(): number {
    return this.#neighbours.length;
  }

  /** Number of neighbours of each node. */
  get degrees(): number[] {
    return this.#neighbours.map((neighbours) => neighbours.length);
  }

  /** The share of all nodes that the largest connected part has. */
  get largestPart(): number {
    return this.size === 0 ? 1 : this.#largestPart().size / this.size;
  }

  /** A node of the largest connected part. */
  get memberOfLargestPart(): number {
    return this.#largestPart().member;
  }

  #largestPart(): { readonly member: number; readonly size: number } {
    const seen = new Uint8Array(this.size);
    let largest = { member: 0, size: 0 };
    for (let member = 0; member < this.size; member++) {
      if (seen[member] === 1) continue;
      const part = this.#partOf(member);
      for (const node of part) seen[node] = 1;
      if (part.length > largest.size) largest = { member, size: part.length };
    }
    return largest;
  }

  #partOf(start: number): number[] {
    const part = [start];
    const seen = new Set(part);
    for (const node of part) {
      for (const other of this.#neighbours[node]!) {
        if (seen.has(other)) continue;
        seen.add(other);
        part.push(other);
      }
    }
    return part;
  }

  /** Steps from one node to each; -1 to those that cannot be reached. */
  distancesFrom(start: number): Int32Array {
    const distances = new Int32Array(this.size).fill(-1);
    const queue = [start];
    distances[start] = 0;
    for (const node of queue) {
      for (const other of this.#neighbours[node]!) {
        if (distances[other] !== -1) continue;
        distances[other] = distances[node]! + 1;
        queue.push(other);
      }
    }
    return distances;
  }

  /** The mean and the greatest distance between nodes, over those from `starts`. */
  distances(starts: readonly number[]): { readonly mean: number; readonly greatest: number } {
    let sum = 0;
    let count = 0;
    let greatest = 0;
    for (const start of starts) {
      for (const distance of this.distancesFrom(start)) {
        if (distance <= 0) continue;
        sum += distance;
        count++;
        greatest = Math.max(greatest, distance);
      }
    }
    return { mean: sum / count, greatest };
  }

  /** The mean share of pairs of neighbours of a node that are neighbours of each other, over nodes with two or more. */
  get clustering(): number {
    const sets = this.#neighbours.map((neighbours) => new Set(neighbours));
    const shares = this.#neighbours.filter(({ length }) => length > 1).map((neighbours) => {
      let linked = 0;
      for (const [index, a] of neighbours.entries()) {
        for (const b of neighbours.slice(index + 1)) if (sets[a]!.has(b)) linked++;
      }
      return linked / (neighbours.length * (neighbours.length - 1) / 2);
    });
    return shares.length === 0 ? 0 : shares.reduce((sum, share) => sum + share) / shares.length;
  }

  /** Floods a message from one node. */
  flood(start: number): FloodResult {
    const distances = this.distancesFrom(start);
    let reached = 0;
    let messages = 0;
    let hops = 0;
    for (const [node, distance] of distances.entries()) {
      if (distance < 0) continue;
      reached++;
      messages += this.#neighbours[node]!.length - (node === start ? 0 : 1);
      hops = Math.max(hops, distance);
    }
    const redundancy = reached < 2 ? 0 : messages / (reached - 1) - 1;
    return { reliability: reached / this.size, messages, redundancy, hops };
  }
}
