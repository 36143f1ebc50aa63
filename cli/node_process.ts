// Copyright 2026 the Partisan peer-service authors. MIT license.

import {
  type LogEntry,
  type PartitionReference,
  type PeerServiceManager,
  type PeerServiceOptions,
  startPeerService,
} from "../mod.ts";
import { PeerService } from "../manager/peer_service.ts";
import { nodeView } from "../ops/page/cluster_views.ts";
import { SeededRandom } from "../testing/seeded_random.ts";
import { writeBytes } from "./output.ts";
import {
  type Command,
  decodeLine,
  encodeLine,
  eventKinds,
  type EventReport,
  readLines,
  type Report,
} from "./protocol.ts";
import { RateMeter } from "./rate_meter.ts";
import { isFullMesh, strategies } from "./strategies.ts";
import { Traffic } from "./traffic.ts";
import { TrafficLedger } from "./traffic_ledger.ts";
import { formatAddress } from "../wire/address.ts";

type StartCommand = Extract<Command, { type: "start" }>;

const VIEW_INTERVAL_MS = 250;
/** Events come in flocks: one view is told after each of them. */
const VIEW_DELAY_MS = 10;
const JOIN_TIMEOUT_MS = 20_000;

/**
 * Is one node of the cluster, as the commands on standard input say. Returns once it has left or was stopped or,
 * whatever it is doing then, when the input ends: the supervisor is gone.
 */
export async function runNode(): Promise<void> {
  // Ctrl-C in the terminal goes to all processes of the cluster; the supervisor decides what comes of it.
  Deno.addSignalListener("SIGINT", () => {});
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  await Promise.race([finished, readCommands(resolve, reject)]);
}

/** Obeys one command after the other, but never stops listening meanwhile. */
async function readCommands(finish: () => void, fail: (error: unknown) => void): Promise<void> {
  let node = Promise.resolve<NodeProcess | undefined>(undefined);
  for await (const line of readLines(Deno.stdin.readable)) {
    const command = decodeLine<Command>(line);
    node = node.then(async (present) => {
      const next = command.type === "start" ? await NodeProcess.start(command) : present;
      if (command.type !== "start") await next?.obey(command);
      if (command.type === "leave" || command.type === "stop") finish();
      return next;
    });
    node.catch(fail);
  }
}

class NodeProcess {
  readonly #manager: PeerServiceManager;
  readonly #ledger: TrafficLedger;
  readonly #traffic: Traffic;
  readonly #sentRate = new RateMeter();
  readonly #receivedRate = new RateMeter();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #isOnPage: boolean;
  #partition: PartitionReference | undefined;
  #viewIsDue = false;

  private constructor(manager: PeerServiceManager, { name, run, settings }: StartCommand) {
    this.#manager = manager;
    this.#isOnPage = settings.page !== undefined;
    this.#ledger = new TrafficLedger(run);
    const random = new SeededRandom(settings.seed).fork(`${name} ${run}`);
    this.#traffic = new Traffic(manager, this.#ledger, { random, toStrangers: !isFullMesh(settings.strategy) });
    for (const kind of eventKinds) manager.addEventListener(kind, (event) => this.#tellEvent(kind, event));
    this.#timer = setInterval(() => this.#tellView(), VIEW_INTERVAL_MS);
  }

  static async start(command: StartCommand): Promise<NodeProcess> {
    const manager = await startPeerService(optionsOf(command));
    tell({ type: "started", at: Date.now(), address: formatAddress(manager.spec.addresses[0]!) });
    return new NodeProcess(manager, command);
  }

  async obey(command: Exclude<Command, StartCommand>): Promise<void> {
    switch (command.type) {
      case "join":
        void this.#join(command.address);
        break;
      case "leave":
        this.#traffic.end();
        await this.#manager.leave();
        tell({ type: "left", at: Date.now() });
        await this.#stop();
        break;
      case "cut":
        this.#partition = await this.#manager.injectPartition(this.#manager.name, 0);
        break;
      case "heal":
        if (this.#partition !== undefined) this.#manager.resolvePartition(this.#partition);
        this.#partition = undefined;
        break;
      case "quiet":
        this.#traffic.end();
        break;
      case "stop":
        await this.#stop();
        break;
    }
  }

  async #join(address: string): Promise<void> {
    try {
      await this.#manager.syncJoin(address, { signal: AbortSignal.timeout(JOIN_TIMEOUT_MS) });
    } catch (error) {
      tell({ type: "event", at: Date.now(), kind: "error", detail: `Cannot join ${address}: ${String(error)}` });
    }
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#traffic.end();
    await this.#manager.stop();
  }

  #tellEvent(kind: EventReport["kind"], event: Event): void {
    const { node, channel, name, reason, error } = (event as CustomEvent).detail ?? {};
    if (channel !== undefined) return;
    const detail = [name, reason ?? error].filter((part) => part !== undefined).join(": ");
    tell({ type: "event", at: Date.now(), kind, node, detail });
    if (this.#viewIsDue) return;
    this.#viewIsDue = true;
    setTimeout(() => {
      this.#viewIsDue = false;
      this.#tellView();
    }, VIEW_DELAY_MS);
  }

  #tellView(): void {
    const members = this.#manager.membersForOrchestration();
    const connected = this.#manager.connected();
    const peers = Object.entries(this.#manager.stats().peers);
    const at = Date.now();
    tell({
      type: "view",
      at,
      members: Object.fromEntries(members.map(({ name, metadata }) => [name, Number(metadata.run)])),
      connected,
      fullyConnected: connected.filter((name) => this.#manager.isFullyConnected(name)),
      connections: peers.reduce((total, [, { connections }]) => total + connections, 0),
      roundTrips: Object.fromEntries(
        peers.flatMap(([name, { roundTrip: ms }]) => ms === undefined ? [] : [[name, ms]]),
      ),
      outgoing: this.#ledger.outgoing(),
      incoming: this.#ledger.incoming(),
      sentPerSecond: this.#sentRate.update(at, this.#ledger.sent),
      receivedPerSecond: this.#receivedRate.update(at, this.#ledger.received),
      quiet: this.#traffic.quiet,
      ...(this.#isOnPage ? { page: nodeView(PeerService.nodeOf(this.#manager)) } : {}),
    });
  }
}

function optionsOf({ name, run, settings }: StartCommand): PeerServiceOptions {
  const { strategy, preset, heartbeatInterval } = settings;
  const { create, metadata } = strategies[strategy]!;
  return {
    name,
    listen: { hostname: "127.0.0.1", port: 0 },
    cluster: "partisan-local",
    metadata: { ...metadata?.(name), run },
    strategy: create(),
    relayTtl: 32,
    preset,
    log: tellLogged,
    allow: { faultInjection: true },
    ...(heartbeatInterval === undefined ? {} : { heartbeat: { interval: heartbeatInterval } }),
  };
}

/** Adds an entry of the node's log to the cluster's log, in place of the node's standard error. */
function tellLogged({ level, kind, message, node, at }: LogEntry): void {
  const detail = level === "warning" ? `${kind}: ${message}` : message;
  tell({ type: "event", at, kind: level, ...(node === undefined ? {} : { node }), detail });
}

function tell(report: Report): void {
  writeBytes(encodeLine(report));
}
