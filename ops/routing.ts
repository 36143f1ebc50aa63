// Copyright 2026 the Partisan peer-service authors. MIT license.

import { hasToken, isForUs, isFromElsewhere } from "./guard.ts";
import { plainJson } from "./plain_json.ts";

/** Answers a request. */
export type Answer = (request: Request) => Response | Promise<Response>;

/** Handlers of a path, by method. Nothing but `GET` is done without the token. */
export type Route = Readonly<Partial<Record<"GET" | "POST", Answer>>>;

/** Admission of requests. */
export interface Admission {
  /** Token that a request which changes something must carry; without it nothing can be changed. */
  readonly token: string | undefined;
  /** The names that the server goes by, besides addresses and `localhost`. */
  readonly names: ReadonlySet<string>;
}

/** Headers of every answer: it is of the moment, it is what it says that it is, and it is for no other page. */
export const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** A handler that answers who may ask, by the path. */
export function routed(routes: ReadonlyMap<string, Route>, { token, names }: Admission): Answer {
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

/** An answer that says what is wrong. */
export function problem(status: number, message: string, headers: Record<string, string> = {}): Response {
  return json({ error: message }, status, headers);
}

/** An answer for programs. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(plainJson(value), {
    status,
    headers: { ...HEADERS, "content-type": "application/json", ...headers },
  });
}

/** Refusal of a request that would change something; `null` when it may. */
async function refusalOf(request: Request, token: string | undefined): Promise<Response | null> {
  if (isFromElsewhere(request)) return problem(403, "Pages from elsewhere cannot change anything here");
  if (token === undefined) return problem(403, "Nothing can be changed here: the handler was made without a token");
  if (await hasToken(request, token)) return null;
  return problem(401, "To change something takes the token", { "www-authenticate": "Bearer" });
}

function allowed(route: Route): string {
  return Object.keys(route).flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]).join(", ");
}
