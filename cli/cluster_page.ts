// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ClusterDocument, NodeRow } from "../ops/page/cluster_document.ts";
import { pageRoutes } from "../ops/page/page_routes.ts";
import { HEADERS, json, problem, routed } from "../ops/routing.ts";
import type { LogEntry, NodeModel, NodeState } from "./cluster_model.ts";
import type { NodeSettings } from "./cluster_options.ts";
import { EntryFeeds } from "./entry_feed.ts";
import { type ControlKind, RefusedError, type Supervisor } from "./supervisor.ts";

/** Look of a state: its colour of the three of the page, its meaning, and the actions in it. */
interface StateLook {
  readonly status: NodeRow["status"];
  readonly reason: string;
  readonly actions: readonly ControlKind[];
}

const looks: Readonly<Record<NodeState, StateLook>> = {
  starting: { status: "suspect", reason: "its process starts", actions: ["kill"] },
  up: { status: "up", reason: "its process runs", actions: ["kill", "pause", "cut", "leave"] },
  paused: { status: "suspect", reason: "its process is frozen", actions: ["kill", "resume"] },
  cut: { status: "suspect", reason: "its process runs behind a partition", actions: ["kill", "heal"] },
  leaving: { status: "suspect", reason: "it leaves the cluster", actions: ["kill"] },
  left: { status: "down", reason: "it has left the cluster", actions: ["start"] },
  killed: { status: "down", reason: "its process was killed", actions: ["start"] },
  failed: { status: "down", reason: "its process ended by itself", actions: ["start"] },
};

const controls: ReadonlySet<string> = new Set(Object.values(looks).flatMap(({ actions }) => actions));

/** Serves the page of a local cluster on loopback. Every user of this machine can look; changes take the token. */
export class ClusterPage implements AsyncDisposable {
  /** Address of the page, with the token. */
  readonly url: string;
  readonly #supervisor: Supervisor;
  readonly #title: string;
  readonly #feeds = new EntryFeeds();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #tell = (event: Event) => this.#feeds.tell((event as CustomEvent<LogEntry>).detail);

  /**
   * Listens.
   *
   * @param port 0: any that is free.
   * @throws {Deno.errors.AddrInUse} When something else listens there.
   */
  constructor(supervisor: Supervisor, { port, title }: { readonly port: number; readonly title: string }) {
    this.#supervisor = supervisor;
    this.#title = title;
    const token = crypto.randomUUID();
    const routes = new Map([
      ...pageRoutes({
        document: () => Promise.resolve(this.#document()),
        act: (action, node) => this.#act(action, node),
      }),
      ["/events", { GET: () => this.#events() }] as const,
    ]);
    const options = { hostname: "127.0.0.1", port, onListen: () => {} };
    this.#server = Deno.serve(options, routed(routes, { token, names: new Set() }));
    this.url = `http://127.0.0.1:${this.#server.addr.port}/#token=${token}`;
    supervisor.addEventListener("entry", this.#tell);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#supervisor.removeEventListener("entry", this.#tell);
    this.#feeds.close();
    await this.#server.shutdown();
  }

  #document(): ClusterDocument {
    const { model } = this.#supervisor;
    const nodes = [...model.nodes.values()].map(rowOf).sort((a, b) => a.name < b.name ? -1 : 1);
    return { at: Date.now(), title: this.#title, self: null, isFullMesh: model.isFullMesh, nodes, actions: ["start"] };
  }

  #act(action: string, node: string | undefined): Response {
    if (!controls.has(action)) return problem(400, `Unknown action "${action.slice(0, 100)}"`);
    const kind = action as ControlKind;
    if (kind !== "start" && node === undefined) return problem(400, `Cannot ${kind}: name a node`);
    // Names of new nodes are chosen here: the page can only name those that there are.
    if (node !== undefined && !this.#supervisor.model.nodes.has(node)) {
      return problem(404, `Cannot ${kind} "${node.slice(0, 100)}": there is no such node`);
    }
    try {
      if (kind === "start") return json({ node: this.#supervisor.start(node) });
      this.#supervisor[kind](node!);
      return json({ node });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return problem(409, error.message);
    }
  }

  #events(): Response {
    return new Response(this.#feeds.open(), { headers: { ...HEADERS, "content-type": "text/event-stream" } });
  }
}

/** The page of a cluster, if one is asked for. */
export function pageOf(supervisor: Supervisor, { page, strategy, preset }: NodeSettings): ClusterPage | null {
  return page === undefined
    ? null
    : new ClusterPage(supervisor, { port: page, title: `${strategy}, preset ${preset}` });
}

function rowOf({ name, run, state, since, address, view }: NodeModel): NodeRow {
  const { status, reason, actions } = looks[state];
  const isHeard = state === "up" || state === "cut" || state === "leaving";
  return {
    name,
    status,
    state,
    since,
    reason,
    addresses: address === undefined ? [] : [address],
    attributes: { run },
    groups: [],
    actions,
    view: isHeard ? view?.page ?? null : null,
  };
}
