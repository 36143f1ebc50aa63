// Copyright 2026 the Partisan peer-service authors. MIT license.

import { fullMesh, hyparview, type PeerServiceManager, scampV2, type Strategy } from "../../mod.ts";
import type { Connection } from "../../connections/connection.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL } from "../../connections/peer.ts";
import { PeerService } from "../../manager/peer_service.ts";
import { SimulatedCluster } from "../../testing/simulated_cluster.ts";
import { frame, hello } from "../cluster/hostile_client.ts";
import { type SeededRandom, seededRandom } from "../seeded_random.ts";
import { makeUpFrame } from "./frames.ts";
import { mutateBytes } from "./mutate.ts";
import { firstOf, nthOf } from "../values.ts";

/** Standing of a liar: it reaches the port, is connected and has not joined, or has joined. */
export type Role = "outsider" | "stranger" | "member";

/** Frames between two looks at the members. */
const BATCH = 100;
/** Frames that are sent at once. */
const BURST = 4;
/** Milliseconds of virtual time that a batch takes. */
const BATCH_MS = 250;
/** Milliseconds of real time that a batch may take: more is a hang. */
const BATCH_REAL_MS = 10_000;
/** Milliseconds of virtual time after the last lie in which members find each other again: dials that failed are repeated ever more rarely. */
const HEALED_MS = 600_000;
/** Messages that each member must get through to each other one in the end. */
const MESSAGES = 20;
/** Broadcasts of each member that must reach all others in the end. */
const BROADCASTS = 4;
/** Numbers from the first one on of which a liar makes up some. */
const FORGED_MAX = 1_200;
/** Milliseconds of virtual time in which a broadcast that met a tree with a gap is repaired. */
const REPAIRED_MS = 30_000;
/** Strategies that clusters run, one seed after the other. */
const STRATEGIES: readonly (() => Strategy)[] = [fullMesh, hyparview, scampV2];
const SECRET = "a secret for the simulation";

/** Members of a simulated cluster, and a node that sends one of them whatever can be made up. */
export class LiarWorld {
  readonly cluster: SimulatedCluster;
  readonly #role: Role;
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #strategy: () => Strategy;
  /** Messages that members were handed by members, as `from>to number`. */
  readonly #delivered: string[] = [];
  /** Broadcasts of members that members were handed, in the same form. */
  readonly #news: string[] = [];
  readonly #faults: string[] = [];
  #members: PeerServiceManager[] = [];
  #liars = 0;

  constructor(role: Role, seed: number) {
    this.#role = role;
    this.#seed = seed;
    this.#random = seededRandom(seed);
    const options = {
      // A liar with a secret is a member or a stranger. An outsider has none.
      secret: role === "outsider" ? SECRET : [],
      allow: { faultInjection: false, removal: false },
      log: false as const,
    };
    const strategy = this.#strategy = nthOf(STRATEGIES, (seed - 1) % STRATEGIES.length);
    this.cluster = new SimulatedCluster({ seed, options: () => ({ ...options, strategy: strategy() }) });
  }

  /**
   * Sends as many made-up frames.
   *
   * @throws {Error} When a member stopped, lost sight of another one, or did not keep a promise; or when it took too long.
   */
  async lie(inputs: number): Promise<void> {
    for (const name of ["a", "b", "c"]) await this.cluster.startNode(name);
    await this.cluster.settled();
    this.#members = this.cluster.nodes;
    for (const member of this.#members) this.#watch(member);
    for (let sent = 0; sent < inputs; sent += BATCH) {
      const start = performance.now();
      await this.#batch(Math.min(BATCH, inputs - sent));
      await this.cluster.advance(BATCH_MS);
      if (performance.now() - start > BATCH_REAL_MS) this.#faults.push(`batch ${sent / BATCH} took too long`);
      if (this.#faults.length > 0) break;
    }
    if (this.#faults.length === 0) await this.#keepPromises();
    if (this.#faults.length > 0) {
      {
        throw new Error(
          `The ${this.#role} of seed ${this.#seed} broke members: ${this.#faults.slice(0, 5).join("; ")}`,
        );
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  #watch(member: PeerServiceManager): void {
    member.register("log", () => {});
    member.register("promise", (number, { from }) => void this.#delivered.push(`${from}>${member.name} ${number}`));
    member.register("news", (number, { from }) => void this.#news.push(`${from}>${member.name} ${number}`));
    member.addEventListener("removed", () => this.#faults.push(`${member.name} was removed`));
  }

  async #batch(count: number): Promise<void> {
    if (this.#role === "outsider") return await this.#knock(count);
    // A stranger that has said the right thing meanwhile is none any more.
    if (this.#role === "stranger" && this.cluster.has(`liar ${this.#liars}`)) this.cluster.crash(`liar ${this.#liars}`);
    // What is malformed closes the connection, and what was sent behind it is lost.
    for (let sent = 0; sent < count; sent += BURST) {
      const connection = await this.#connected();
      for (let more = 0; more < BURST; more++) {
        const { kind, body } = makeUpFrame(this.#random, this.#members.map(({ spec }) => spec), this.#strategy().name);
        if (connection.closed) break;
        connection.queue.begin(kind).raw(body);
        if (connection.queue.hasRoomFor(connection.queue.frameBytes)) connection.queue.commit();
        else connection.queue.rollback();
      }
      await this.cluster.advance(BATCH_MS * BURST / BATCH);
    }
  }

  /** One handshake is answered once, so an outsider has one input for each stream. */
  async #knock(count: number): Promise<void> {
    const { transport } = this.cluster.world.node("outsider");
    const address = firstOf(firstOf(this.#members).spec.addresses);
    for (let sent = 0; sent < count / 10; sent++) {
      const stream = await this.cluster.wait(transport.connect(address));
      const { kind, body } = makeUpFrame(this.#random, this.#members.map(({ spec }) => spec));
      const greeting = hello({ cluster: "default", sealed: this.#random.chance(0.7) });
      const said = this.#random.pick([frame(kind, body), mutateBytes(this.#random, greeting), greeting]);
      await this.cluster.wait(stream.write(said).catch(() => {}));
      if (this.#random.chance(0.9)) stream.close();
      else this.cluster.world.schedule(5_000, () => stream.close());
    }
  }

  /** A connection of the liar with a member. A liar that gets none any more comes back under another name. */
  async #connected(): Promise<Connection> {
    for (;;) {
      const name = `liar ${this.#liars}`;
      if (this.cluster.has(name)) {
        const connection = await this.#connection(this.cluster.node(name));
        if (connection !== undefined) return connection;
        this.cluster.crash(name);
      }
      const liar = await this.cluster.startNode(`liar ${++this.#liars}`, { join: false });
      if (this.#role === "member") await this.cluster.wait(liar.syncJoin(firstOf(this.#members).spec).catch(() => {}));
    }
  }

  async #connection(liar: PeerServiceManager): Promise<Connection | undefined> {
    const { pool } = PeerService.nodeOf(liar);
    const { name, addresses } = firstOf(this.#members).spec;
    const channel = this.#random.pick([MEMBERSHIP_CHANNEL, DEFAULT_CHANNEL]);
    try {
      const peer = await this.cluster.wait(pool.reach(name, addresses));
      return peer.at(channel, 0) ?? await this.cluster.wait(pool.dial(peer, channel, 0));
    } catch {
      return undefined;
    }
  }

  /** Every member is there, sees the others, and gets through to them what it was promised. */
  async #keepPromises(): Promise<void> {
    for (const name of this.cluster.names) if (name.startsWith("liar")) this.cluster.crash(name);
    await this.cluster.advance(HEALED_MS);
    const names = this.#members.map(({ name }) => name);
    for (const { name, members } of this.#members.map((member) => ({ name: member.name, members: member.members() }))) {
      if (!names.every((other) => members.includes(other))) this.#faults.push(`${name} knows ${members}`);
    }
    const expected: string[] = [];
    const sending: Promise<void>[] = [];
    for (const from of this.#members) {
      for (const { name: to } of this.#members.filter((other) => other !== from)) {
        for (let number = 0; number < MESSAGES; number++) {
          expected.push(`${from.name}>${to} ${number}`);
          const options = { ack: true, timeout: 30_000, causalLabel: number % 2 === 0 ? "label" : undefined };
          sending.push(from.forwardMessage(to, "promise", number, options));
        }
      }
    }
    for (const sent of await this.cluster.wait(Promise.allSettled(sending))) {
      if (sent.status === "rejected") this.#faults.push(`${sent.reason}`);
    }
    await this.#broadcastAll();
    if (this.#delivered.toSorted().join() !== expected.toSorted().join()) {
      const missing = expected.filter((message) => !this.#delivered.includes(message));
      this.#faults.push(`${this.#delivered.length} of ${expected.length} were delivered, not ${missing.slice(0, 3)}`);
    }
  }

  /** Broadcasts of members reach each one of them once: whatever a liar has said of trees, and of numbers that there were not. */
  async #broadcastAll(): Promise<void> {
    const expected = this.#members.flatMap(({ name: from }) =>
      this.#members.flatMap(({ name: to }) =>
        Array.from({ length: BROADCASTS }, (_, number) => `${from}>${to} ${number}`)
      )
    );
    // Any member can say something in the name of another one, under a number that this has not come to.
    for (let number = 0; number < FORGED_MAX; number++) {
      for (const member of this.#members) member.broadcast("log", number);
      if (number % 100 === 0) await this.cluster.advance(1_000);
    }
    for (let number = 0; number < BROADCASTS; number++) {
      for (const member of this.#members) member.broadcast("news", number);
      await this.cluster.advance(1_000);
    }
    await this.cluster.advance(REPAIRED_MS);
    const missing = expected.filter((news) => this.#news.filter((heard) => heard === news).length !== 1);
    if (missing.length > 0) {
      this.#faults.push(`${missing.length} broadcasts were not heard once: ${missing.slice(0, 5)}`);
    }
  }
}
