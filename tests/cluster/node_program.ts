// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks JSON lines.

/**
 * One node in a process of its own. It takes its options as JSON in its first argument, commands as JSON lines over stdin, and tells over
 * stdout, also as JSON lines, what happens and what came of the commands. It exits when stdin closes.
 *
 * @module
 */

import { TextLineStream } from "./line_stream.ts";
import { Load } from "./load.ts";
import { Transfers } from "./transfers.ts";
import {
  type Address,
  type NodeSpec,
  type PeerServiceManager,
  type PeerServiceOptions,
  startPeerService,
} from "../../mod.ts";
import { present } from "../values.ts";

/** Command to a node; `id` comes back with the outcome. */
export type Command =
  & { readonly id: number }
  & (
    | { readonly do: "join"; readonly peer: NodeSpec | Address | string }
    | { readonly do: "leave"; readonly node?: string }
    | { readonly do: "view" }
    | { readonly do: "stats" }
    | {
      readonly do: "forward";
      readonly to: string;
      readonly name: string;
      readonly message: unknown;
      readonly ack?: boolean;
    }
    | { readonly do: "stream"; readonly to: readonly string[] }
    | { readonly do: "heard" }
    | { readonly do: "quiet" }
    | { readonly do: "transfer"; readonly to: readonly string[] }
    | { readonly do: "transferred" }
    | { readonly do: "load" }
    | { readonly do: "unload" }
    | { readonly do: "drain" }
    | { readonly do: "stop" }
  );

/** Report of a node, of its own accord or in answer to a command. */
export type Report =
  | { readonly at: number; readonly event: "ready"; readonly spec: NodeSpec }
  | {
    readonly at: number;
    readonly event: "up" | "down" | "join" | "leave" | "removed" | "suspect";
    readonly node: string;
  }
  | { readonly at: number; readonly event: "error"; readonly during: string; readonly error: string }
  | { readonly at: number; readonly id: number; readonly result?: unknown; readonly error?: string };

/** Message on the stream of acknowledged messages. */
interface Streamed {
  readonly from: string;
  readonly n: number;
}

/** Milliseconds between two messages of the stream. */
const STREAM_MS = 50;
/** Milliseconds after which a streamed message counts as lost. */
const STREAM_TIMEOUT_MS = 60_000;

/** The ledger of the acknowledged stream: how often each message came, and what became of those from here. */
class Stream {
  readonly came: Record<string, number> = {};
  readonly acknowledged: string[] = [];
  readonly failed: Record<string, string> = {};
  readonly pending = new Set<Promise<void>>();
  #node: PeerServiceManager;
  #timer: ReturnType<typeof setInterval> | undefined;
  #count = 0;

  constructor(node: PeerServiceManager) {
    this.#node = node;
    node.register("stream", ({ from, n }: Streamed) => {
      const key = `${from} ${n}`;
      this.came[key] = (this.came[key] ?? 0) + 1;
    });
  }

  start(to: readonly string[]): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#send(present(to[this.#count % to.length])), STREAM_MS);
  }

  async quiet(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled(this.pending);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #send(to: string): void {
    const { name, spec } = this.#node;
    const message: Streamed = { from: `${name}/${spec.incarnation}`, n: this.#count++ };
    const key = `${message.from} ${message.n} ${to}`;
    const sent = this.#node.forwardMessage(to, "stream", message, {
      ack: true,
      timeout: STREAM_TIMEOUT_MS,
      retransmission: { initial: 200, cap: 1_000 },
    }).then(
      () => void this.acknowledged.push(key),
      (error) => void (this.failed[key] = `${error}`),
    );
    this.pending.add(sent);
    sent.finally(() => this.pending.delete(sent));
  }
}

function tell(report: Record<string, unknown>): void {
  console.log(JSON.stringify({ at: Date.now(), ...report }));
}

/** Work of a node of this program in addition to being a member. */
interface Business {
  readonly stream: Stream;
  readonly transfers: Transfers;
  readonly load: Load;
  readonly heard: readonly unknown[];
}

async function obey(
  node: PeerServiceManager,
  { stream, transfers, load, heard }: Business,
  command: Command,
): Promise<unknown> {
  switch (command.do) {
    case "join":
      return await node.syncJoin(command.peer, { signal: AbortSignal.timeout(60_000) });
    case "leave":
      return await node.leave(command.node);
    case "view":
      return {
        members: node.members(),
        connected: node.connected(),
        complete: node.members().filter((name) => node.isFullyConnected(name)),
        specs: node.membersForOrchestration(),
      };
    case "stats":
      return { ...node.stats(), rss: Deno.memoryUsage().rss };
    case "forward":
      return await node.forwardMessage(command.to, command.name, command.message, { ack: command.ack ?? false });
    case "stream":
      return stream.start(command.to);
    case "heard":
      return heard;
    case "quiet":
      await stream.quiet();
      return { came: stream.came, acknowledged: stream.acknowledged, failed: stream.failed };
    case "transfer":
      return transfers.start(command.to);
    case "transferred":
      return await transfers.quiet();
    case "load":
      return load.start();
    case "unload":
      return await load.quiet();
    case "drain":
      load.stop();
      await node.drain({ timeout: 30_000 });
      return await load.quiet();
    case "stop":
      stream.stop();
      transfers.stop();
      return await node.stop();
  }
}

async function main(options: PeerServiceOptions): Promise<void> {
  const node = await startPeerService(options);
  for (const type of ["up", "down"] as const) {
    node.addEventListener(
      type,
      ({ detail }) => detail.channel === undefined && tell({ event: type, node: detail.node }),
    );
  }
  for (const type of ["join", "leave", "removed", "suspect"] as const) {
    node.addEventListener(type, ({ detail }) => tell({ event: type, node: detail.node }));
  }
  node.addEventListener(
    "error",
    ({ detail }) => tell({ event: "error", during: detail.during, error: `${detail.error}` }),
  );
  const heard: unknown[] = [];
  node.register("log", (message, { from }) => void heard.push([from, message]));
  const business = { stream: new Stream(node), transfers: new Transfers(node), load: new Load(node), heard };
  tell({ event: "ready", spec: node.spec });
  for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    const command: Command = JSON.parse(line);
    obey(node, business, command).then(
      (result) => tell({ id: command.id, result }),
      (error) => tell({ id: command.id, error: `${error}` }),
    );
  }
  Deno.exit(0);
}

if (import.meta.main) await main(JSON.parse(Deno.args[0] ?? "{}"));
