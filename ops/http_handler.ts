// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { MemberInfo } from "../manager/member_status.ts";
import type { Node } from "../manager/node.ts";
import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { EventFeeds } from "./event_feed.ts";
import { hasToken, hostSet, isForUs, isFromElsewhere } from "./guard.ts";
import { Health, type HealthCheck } from "./health.ts";
import { PROMETHEUS_TYPE, prometheusText } from "./metrics/prometheus.ts";
import { pageHtml } from "./page.ts";
import { plainJson } from "./plain_json.ts";

/** Options of {@linkcode httpHandler}. */
export interface HttpHandlerOptions {
  /**
   * What a request that changes something must carry, as `Authorization: Bearer …`. Without it, nothing can be changed over HTTP.
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
   * `localhost` are always allowed. It keeps pages of others from reading through the browser of somebody who can reach the server.
   *
   * @default {[]}
   */
  readonly hosts?: readonly string[] | undefined;
}

/** Answers a request. */
type Answer = (request: Request) => Response | Promise<Response>;

/** What can be done with a path, by method. */
type Route = Readonly<Partial<Record<"GET" | "POST", Answer>>>;

/** What every answer says: it is of the moment, it is what it says that it is, and it is for nobody else's page. */
const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The page may do what it does within itself, and ask the server that it came from. */
const PAGE_POLICY = "default-src 'none'; connect-src 'self'; img-src data:; script-src 'unsafe-inline'; " +
  "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
 * told to join nobody and has no discovery is the first; one whose sources all answered, and named nobody but itself, is as well. Nothing
 * is written to the log, and no event counts as heard, because somebody reads `/events`.
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
  const { token, page = true, hosts = [] } = options;
  if (token === "") throw new TypeError('Cannot make a handler: "token" is empty, expected text or nothing');
  const names = hostSet(hosts);
  if (names.size !== new Set(hosts.map((host) => host.toLowerCase())).size) {
    throw new TypeError(`Cannot make a handler: "hosts" is ${plainJson(hosts)}, expected names of hosts`);
  }
  const routes = routesOf(node, page);
  return async (request) => {
    if (!isForUs(request, names)) {
      return problem(421, "This server does not go by that name: reach it by its address, or name it in `hosts`");
    }
    const { pathname } = new URL(request.url);
    const route = routes.get(pathname);
    if (route === undefined) return problem(404, `There is no "${pathname.slice(0, 100)}" here`);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const answer = Object.hasOwn(route, method) ? route[method as keyof Route] : undefined;
    if (answer === undefined) return problem(405, "That cannot be done here", { allow: allowed(route) });
    if (method !== "GET") {
      const refusal = await refusalOf(request, token);
      if (refusal !== null) return refusal;
    }
    const response = await answer(request);
    if (request.method !== "HEAD") return response;
    await response.body?.cancel();
    return new Response(null, response);
  };
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
  if (hasPage) { for (const path of ["/", "/page"]) routes.set(path, { GET: servePage }); }
  return routes;
}

/** Why a request that would change something is not done; `null` when it may. */
async function refusalOf(request: Request, token: string | undefined): Promise<Response | null> {
  if (isFromElsewhere(request)) return problem(403, "Pages from elsewhere cannot change anything here");
  if (token === undefined) return problem(403, "Nothing can be changed here: the handler was made without a token");
  if (await hasToken(request, token)) return null;
  return problem(401, "To change something takes the token", { "www-authenticate": "Bearer" });
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

function servePage(): Response {
  return new Response(pageHtml, {
    headers: { ...HEADERS, "content-type": "text/html; charset=utf-8", "content-security-policy": PAGE_POLICY },
  });
}

function problem(status: number, message: string, headers: Record<string, string> = {}): Response {
  return json({ error: message }, status, headers);
}

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(plainJson(value), {
    status,
    headers: { ...HEADERS, "content-type": "application/json", ...headers },
  });
}

function allowed(route: Route): string {
  return Object.keys(route).flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]).join(", ");
}
