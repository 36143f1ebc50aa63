// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MessageContext, PeerServiceManager } from "../../mod.ts";
import { present } from "../values.ts";

/** Milliseconds between two transfers, and between two calls that are given up. */
const BETWEEN_MS = 200;
/** Milliseconds after which a call is given up, and a stream must be open. */
const PATIENCE_MS = 100;
const OPEN_MS = 10_000;
const CHUNK_BYTES = 32 * 1024;
const CHUNKS = 8;
/** Errors with which a stream may end at either end, when it does not come to its end. */
const NAMED = ["NotConnectedError", "PartitionedError", "StoppedError", "NoHandlerError", "TimeoutError"];

/** One node's account of its streams, and of calls that were given up. */
export interface TransferAccount {
  /** Result of each stream from here: `sender number receiver`. */
  readonly sent: Record<string, string>;
  /** Result of each stream to here: `sender number`. */
  readonly received: Record<string, string>;
  /** Calls whose handlers were never told that they were given up. */
  readonly unaborted: readonly string[];
}

/** Says which stream it is. */
interface Mark {
  readonly from: string;
  readonly n: number;
}

/** Streams of bytes to all others, and calls to them that are given up. Each stream is whole or ends by a name; each signal is aborted. */
export class Transfers {
  readonly #sent: Record<string, string> = {};
  readonly #received: Record<string, string> = {};
  readonly #unaborted = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  readonly #node: PeerServiceManager;
  #timer: ReturnType<typeof setInterval> | undefined;
  #count = 0;

  constructor(node: PeerServiceManager) {
    this.#node = node;
    node.registerStream("transfer", ({ readable, writable }, { from, n }: Mark) => {
      this.#follow(this.#receive(`${from} ${n}`, n, readable, writable));
    });
    node.register("patient", ({ from, n }: Mark, { signal }: MessageContext) => {
      const key = `${from} ${n}`;
      this.#unaborted.add(key);
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          this.#unaborted.delete(key);
          resolve(null);
        })
      );
    });
  }

  start(to: readonly string[]): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const n = this.#count++;
      const { name, spec } = this.#node;
      const mark = { from: `${name}/${spec.incarnation}`, n };
      this.#follow(this.#send(present(to[n % to.length]), mark));
      // What comes of it is for the handler to write down.
      const call = this.#node.call(present(to[n % to.length]), "patient", mark, { timeout: PATIENCE_MS });
      this.#follow(call.then(() => {}, () => {}));
    }, BETWEEN_MS);
  }

  /** Ends it, and waits for all that is under way. */
  async quiet(): Promise<TransferAccount> {
    this.stop();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    return { sent: this.#sent, received: this.#received, unaborted: [...this.#unaborted] };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #follow(work: Promise<void>): void {
    this.#pending.add(work);
    work.finally(() => this.#pending.delete(work));
  }

  async #send(to: string, mark: Mark): Promise<void> {
    const key = `${mark.from} ${mark.n} ${to}`;
    try {
      const { writable, readable, closed } = await this.#node.openStream(to, "transfer", mark, { timeout: OPEN_MS });
      const writer = writable.getWriter();
      for (let i = 0; i < CHUNKS; i++) {
        await writer.write(new Uint8Array(CHUNK_BYTES).fill(mark.n + i));
        await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS / CHUNKS));
      }
      await writer.close().catch(() => writer.closed);
      for await (const _ of readable) throw new Error("Nothing is written back");
      await closed;
      this.#sent[key] = "complete";
    } catch (error) {
      this.#sent[key] = `${error}`;
    }
  }

  async #receive(key: string, n: number, readable: ReadableStream<Uint8Array>, writable: WritableStream<Uint8Array>) {
    let bytes = 0;
    try {
      for await (const chunk of readable) {
        for (const byte of chunk) {
          if (byte !== (n + Math.floor(bytes++ / CHUNK_BYTES)) % 256) throw new Error(`Byte ${bytes} is wrong`);
        }
      }
      if (bytes !== CHUNKS * CHUNK_BYTES) throw new Error(`${bytes} bytes are not all`);
      await writable.close().catch(() => {});
      this.#received[key] = "complete";
    } catch (error) {
      this.#received[key] = `${error}`;
    }
  }
}

/** Faults in the accounts of all nodes; those in `mortal` were killed, and took their accounts with them. */
export function wrongTransfers(accounts: ReadonlyMap<string, TransferAccount>, mortal: readonly string[]): string[] {
  const wrong: string[] = [];
  const check = (key: string, outcome: string) => {
    const isNamed = NAMED.some((name) => outcome.startsWith(`${name}: `));
    if (outcome !== "complete" && !isNamed) wrong.push(`stream ${key} ended with ${outcome}`);
  };
  for (const [name, { sent, received, unaborted }] of accounts) {
    for (const [key, outcome] of Object.entries(received)) check(`${key} at ${name}`, outcome);
    for (const [key, outcome] of Object.entries(sent)) {
      check(key, outcome);
      const [from, n, to] = key.split(" ") as [string, string, string];
      const there = accounts.get(to)?.received[`${from} ${n}`];
      if (outcome === "complete" && there !== "complete" && !mortal.includes(to)) wrong.push(`stream ${key}: ${there}`);
    }
    for (const key of unaborted) wrong.push(`call ${key} was given up, and its handler at ${name} was not told`);
  }
  return wrong;
}

/** Number of streams that came to their end. */
export function completeTransfers(accounts: ReadonlyMap<string, TransferAccount>): number {
  return [...accounts.values()].flatMap(({ sent }) => Object.values(sent)).filter((outcome) => outcome === "complete")
    .length;
}
