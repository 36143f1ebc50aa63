// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import { SimulatedWorld } from "../../testing/simulated_world.ts";
import { TappedTransport } from "./tapped_transport.ts";
import { nameOfKind, Words } from "./words.ts";
import { messageOf } from "../../runtime/message_of.ts";

/** Every message takes as long, so that times are easy to follow: milliseconds. */
const LATENCY_MS = 1;
const PORT = 9_090;
/** Longest that a command may take, in milliseconds of virtual time. */
const PATIENCE_MS = 60_000;

/** Events whose detail names a node. */
const NODE_EVENTS = ["up", "down", "join", "leave", "suspect"] as const;

/** Carries out the commands of a transcript, and takes down what the nodes say. */
export class Stage {
  readonly #world: SimulatedWorld;
  readonly #nodes = new Map<string, PeerServiceManager>();
  readonly #words = new Words();
  /** Kinds of frames that go out all the time, and tell a reader nothing. */
  readonly #hidden = new Set<string>();
  #lines: string[] = [];

  constructor(seed: string) {
    this.#world = new SimulatedWorld({ seed, latency: LATENCY_MS, resolution: 0 });
  }

  /** Carries out one command. @returns Lines that were said meanwhile. */
  async run(command: string): Promise<string[]> {
    const [verb = "", ...words] = command.split(/\s+/);
    this.#lines = [];
    await this.#do(verb, words);
    return this.#lines;
  }

  /** Stops all nodes. */
  async end(): Promise<void> {
    const stopping = Promise.all(Array.from(this.#nodes.values(), (node) => node.stop()));
    await this.#world.wait(stopping, PATIENCE_MS);
  }

  async #do(verb: string, words: readonly string[]): Promise<void> {
    const [first = "", second = ""] = words;
    const { network } = this.#world;
    switch (verb) {
      case "start":
        for (const name of words) await this.#start(name);
        return;
      case "join":
        return await this.#wait(this.#node(first).syncJoin(this.#node(second).spec));
      case "cross":
        return await this.#cross(first, second);
      case "leave":
        await this.#wait(this.#node(first).leave());
        await this.#wait(this.#node(first).stop());
        this.#nodes.delete(first);
        return;
      case "crash":
        this.#world.crash(first);
        this.#nodes.delete(first);
        return;
      case "pause":
        return this.#world.pause(first);
      case "resume":
        return this.#world.resume(first);
      case "cut":
        return network.cut(first, second);
      case "heal":
        return network.heal(first, second);
      case "broadcast":
        return this.#node(first).broadcast("news", second);
      case "pass":
        return await this.#world.advance(Number(first));
      case "show":
        for (const word of words) this.#hidden.delete(word);
        return;
      case "hide":
        for (const word of words) this.#hidden.add(word);
        return;
      case "members":
        for (const [name, node] of this.#nodes) this.#lines.push(`${name}: ${node.members().join(" ")}`);
        return;
      default:
        throw new SyntaxError(`Cannot carry out "${verb}": there is no such command`);
    }
  }

  /** Starts `name`, `name,cluster` or `name,,host`. */
  async #start(word: string): Promise<void> {
    const [name = "", cluster = "demo", host = name] = word.split(",").map((part) => part === "" ? undefined : part);
    const runtime = this.#world.node(host);
    const transport = new TappedTransport(runtime.transport, {
      dialed: (to) => this.#say(host, `dials ${to}`, "dial"),
      sent: (to, kind, body) => this.#say(`${host} → ${to}`, this.#words.of(kind, body), nameOfKind(kind)),
      closed: (to) => this.#say(host, `closes a connection with ${to}`, "close"),
    });
    const node = await this.#world.wait(
      startPeerService({
        name,
        cluster,
        preset: "local",
        listen: { hostname: host, port: PORT },
        runtime: {
          clock: runtime.clock,
          random: runtime.random,
          transport,
          defer: (callback) => runtime.defer(callback),
          outside: (operation) => runtime.outside(operation),
        },
      }),
      PATIENCE_MS,
    );
    this.#nodes.set(host, node);
    for (const type of NODE_EVENTS) {
      node.addEventListener(type, ({ detail }) => {
        if (!("channel" in detail) || detail.channel === undefined) this.#say(host, `event ${type} ${detail.node}`);
      });
    }
    node.addEventListener("removed", ({ detail }) => this.#say(host, `event removed: ${detail.reason}`));
    node.addEventListener("error", ({ detail }) => this.#say(host, `event error: ${detail.error}`));
    node.register("news", (message) => this.#say(host, `handler news got "${message}"`));
  }

  /** Both dial at once. */
  async #cross(first: string, second: string): Promise<void> {
    const [a, b] = [this.#node(first), this.#node(second)];
    await this.#wait(Promise.all([a.syncJoin(b.spec), b.syncJoin(a.spec)]));
  }

  /** Waits for what a node was asked to do, and says why it could not. */
  async #wait(promise: Promise<unknown>): Promise<void> {
    try {
      await this.#world.wait(promise, PATIENCE_MS);
    } catch (error) {
      this.#lines.push(`failed: ${messageOf(error)}`);
    }
  }

  #say(who: string, what: string, kind = "event"): void {
    const [, subject = ""] = what.split(" ");
    if (this.#hidden.has(kind) || this.#hidden.has(`${kind}/${subject}`)) return;
    this.#lines.push(`${String(Math.round(this.#world.now)).padStart(6)}  ${who.padEnd(5)}  ${what}`);
  }

  #node(name: string): PeerServiceManager {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`Cannot ask node "${name}": it does not run`);
    return node;
  }
}
