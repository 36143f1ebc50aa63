// Copyright 2026 the Partisan peer-service authors. MIT license.

import { NotConnectedError, type PeerServiceManager } from "../../mod.ts";
import { present } from "../values.ts";

/** Milliseconds between two turns, each with a call, a message and, every fifth time, a stream. */
const BETWEEN_MS = 20;
const STREAM_EVERY = 5;
/** Milliseconds for which a handler works. */
const WORK_MS = 15;
const TIMEOUT_MS = 30_000;
const CHUNKS = 4;
const CHUNK_BYTES = 16 * 1024;

/** Report of one node on its load. */
export interface LoadAccount {
  /** Calls, messages and streams from here that came to their end. */
  readonly done: Readonly<Record<"call" | "message" | "stream", number>>;
  /** Those that did not, and why. */
  readonly failed: readonly string[];
  /** Those that were given to another node, because the first one had gone before they were sent. */
  readonly moved: number;
  /** `sender number` of the messages from here that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** The same of all messages that came here, once for each time. */
  readonly came: readonly string[];
}

/** Work for others as a user's program has it: for those that are up and do not drain; for another one where one has gone. */
export class Load {
  readonly #node: PeerServiceManager;
  readonly #done = { call: 0, message: 0, stream: 0 };
  readonly #failed: string[] = [];
  readonly #acknowledged: string[] = [];
  readonly #came: string[] = [];
  readonly #pending = new Set<Promise<void>>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #turns = 0;
  #moved = 0;

  constructor(node: PeerServiceManager) {
    this.#node = node;
    node.register("echo", async (message) => {
      await new Promise((resolve) => setTimeout(resolve, WORK_MS));
      return message;
    });
    node.register("mark", async (key: string) => {
      await new Promise((resolve) => setTimeout(resolve, WORK_MS));
      this.#came.push(key);
    });
    node.registerStream("echo", ({ readable, writable }) => readable.pipeTo(writable).catch(() => {}));
  }

  start(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const { name, spec } = this.#node;
      const turn = this.#turns++;
      const key = `${name}/${spec.incarnation} ${turn}`;
      this.#follow("call", turn, (to) => this.#call(to, key));
      this.#follow("message", turn, (to) => this.#send(to, key));
      if (turn % STREAM_EVERY === 0) this.#follow("stream", turn, (to) => this.#stream(to));
    }, BETWEEN_MS);
  }

  /** Begins nothing more. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Begins nothing more, and waits for what is under way. */
  async quiet(): Promise<LoadAccount> {
    this.stop();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    const [done, failed, moved] = [this.#done, this.#failed, this.#moved];
    return { done, failed, moved, acknowledged: this.#acknowledged, came: this.#came };
  }

  #follow(kind: "call" | "message" | "stream", turn: number, work: (to: string) => Promise<void>): void {
    const pending = this.#insist(turn, work).then(
      () => void this.#done[kind]++,
      (error) => void this.#failed.push(`${kind} ${turn} of ${this.#node.name}: ${error}`),
    );
    this.#pending.add(pending);
    pending.finally(() => this.#pending.delete(pending));
  }

  /** A NotConnectedError says that nothing was sent: another node can do it. */
  async #insist(turn: number, work: (to: string) => Promise<void>): Promise<void> {
    const willing = this.#node.members({ status: "up" }).filter((name) =>
      name !== this.#node.name && this.#node.attribute(name, "draining") === undefined
    );
    try {
      await work(present(willing[turn % willing.length]));
    } catch (error) {
      if (!(error instanceof NotConnectedError)) throw error;
      this.#moved++;
      await this.#insist(turn + 1, work);
    }
  }

  async #call(to: string, key: string): Promise<void> {
    const answer = await this.#node.call(to, "echo", key, { timeout: TIMEOUT_MS });
    if (answer !== key) throw new Error(`${to} answered ${answer}`);
  }

  async #send(to: string, key: string): Promise<void> {
    await this.#node.forwardMessage(to, "mark", key, { ack: true, timeout: TIMEOUT_MS });
    this.#acknowledged.push(key);
  }

  async #stream(to: string): Promise<void> {
    const { readable, writable, closed } = await this.#node.openStream(to, "echo", null, { timeout: TIMEOUT_MS });
    const writing = (async () => {
      const writer = writable.getWriter();
      for (let chunk = 0; chunk < CHUNKS; chunk++) await writer.write(new Uint8Array(CHUNK_BYTES));
      await writer.close();
    })();
    let bytes = 0;
    for await (const chunk of readable) bytes += chunk.byteLength;
    await Promise.all([writing, closed]);
    if (bytes !== CHUNKS * CHUNK_BYTES) throw new Error(`${bytes} bytes came back from ${to}`);
  }
}
