// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MemberInfo } from "../manager/member_status.ts";
import type { Node } from "../manager/node.ts";
import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { BOOLEAN, checkOptions, type OptionKinds, STRING, STRINGS } from "../runtime/options.ts";
import { EventFeeds } from "./event_feed.ts";
import { hostSet } from "./guard.ts";
import { Health, type HealthCheck } from "./health.ts";
import { PROMETHEUS_TYPE, prometheusText } from "./metrics/prometheus.ts";
import { ClusterViews } from "./page/cluster_views.ts";
import { pageRoutes } from "./page/page_routes.ts";
import { HEADERS, json, problem, type Route, routed } from "./routing.ts";

/** Options of {@linkcode httpHandler}. */
export interface HttpHandlerOptions {
  /**
   * Token that a request which changes something must carry, as `Authorization: Bearer …`. Without it, nothing can be changed
   * over HTTP.
   *
   * @default {none}
   */
  readonly token?: string | undefined;
  /**
   * Whether `/page` and `/` serve a page for people.
   *
   * @default {true}
   */
  readonly page?: boolean | undefined;
  /**
   * Names by which the server is reached, without port. Requests whose `Host` is another name are refused with status 421; IP addresses and
   * `localhost` are always allowed. It keeps pages of others from reading through a browser that can reach the server.
   *
   * @default {[]}
   */
  readonly hosts?: readonly string[] | undefined;
}

const ACTION = "Cannot make a handler";
const KINDS: OptionKinds<HttpHandlerOptions> = { token: STRING, page: BOOLEAN, hosts: STRINGS };

/**
 * Makes a handler for `Deno.serve` by which a node can be seen:
 *
 * - `GET /startup`, `/ready`, `/alive`: a JSON list of checks `{ name, ok, detail }`; status 200 when all are well, else 503.
 * - `GET /metrics`: what is measured, as Prometheus reads it (`docs/metrics.md`).
 * - `GET /members`: what the node knows of each member, as JSON.
 * - `GET /events`: all events from now on, as server-sent events. A reader that is too slow misses some, and is told how many (`omitted`).
 * - `GET /page`, `/`: a page for people.
 * - `POST /drain`: has the node drain, leave and stop; the only one that changes something, and needs the token.
 *
 * A node is ready when it runs, takes work, its event loop is not held up, and it has joined or is known to be the first: a node that was
 * told to join no other node and has no discovery is the first; one whose sources all answered, and named no node but itself, is as well. Nothing
 * is written to the log, and no event counts as heard, because `/events` is read.
 *
 * @param node Any node, whatever its contract.
 * @throws {TypeError} When the node is not one of this module, or an option can be none.
 *
 * @example Health of a node
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { httpHandler } from "@partisan/peer-service/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * const handler = httpHandler(node);
 *
 * const alive = await handler(new Request("http://localhost/alive"));
 * assertEquals(alive.status, 200);
 * const [running] = await alive.json();
 * assertEquals(running, { name: "running", ok: true, detail: "the node runs" });
 * ```
 */
export function httpHandler(
  node: PeerServiceManager,
  options: HttpHandlerOptions = {},
): (request: Request) => Response | Promise<Response> {
  const { token, page = true, hosts = [] } = checkOptions(ACTION, options, KINDS);
  if (token === "") throw new TypeError(`${ACTION}: "token" is empty, expected text or nothing`);
  const names = hostSet(hosts, ACTION);
  return routed(routesOf(node, page), { token, names });
}

function routesOf(manager: PeerServiceManager, hasPage: boolean): ReadonlyMap<string, Route> {
  const node = PeerService.nodeOf(manager);
  const health = new Health(node);
  const feeds = new EventFeeds(node);
  const routes = new Map<string, Route>([
    ["/startup", { GET: () => checks(health.startup()) }],
    ["/ready", { GET: () => checks(health.ready()) }],
    ["/alive", { GET: () => checks(health.alive()) }],
    ["/metrics", { GET: () => metrics(node) }],
    ["/members", { GET: () => json(membersOf(manager)) }],
    ["/events", { GET: () => events(feeds) }],
    ["/drain", { POST: () => drain(manager) }],
  ]);
  if (!hasPage) return routes;
  const views = new ClusterViews(node);
  const act = (action: string) => action === "drain" ? drain(manager) : problem(400, `"${action}" cannot be done here`);
  return new Map([...routes, ...pageRoutes({ document: () => views.document(), act })]);
}

function checks(list: readonly HealthCheck[]): Response {
  return json(list, list.every(({ ok }) => ok) ? 200 : 503);
}

function metrics(node: Node): Response {
  return new Response(prometheusText(node), { headers: { ...HEADERS, "content-type": PROMETHEUS_TYPE } });
}

function membersOf(manager: PeerServiceManager): (MemberInfo & { name: string; self: boolean })[] {
  return manager.members().flatMap((name) => {
    const info = manager.memberInfo(name);
    return info === undefined ? [] : [{ name, self: name === manager.name, ...info }];
  });
}

function events(feeds: EventFeeds): Response {
  if (!feeds.hasRoom) return problem(503, "Too many read the events already");
  return new Response(feeds.open(), { headers: { ...HEADERS, "content-type": "text/event-stream" } });
}

function drain(manager: PeerServiceManager): Response {
  // What goes wrong then is told by events; who asked has its answer already, as the node may take long.
  manager.drain().catch(() => {});
  return json({ draining: true }, 202);
}
