// Copyright 2026 the Partisan peer-service authors. MIT license.

import { HEADERS, json, problem, type Route } from "../routing.ts";
import type { ClusterDocument } from "./cluster_document.ts";
import { pageHtml } from "./page_html.ts";

/** Source of the document that the page shows, and receiver of its actions. */
export interface PageSource {
  /** All that is known of the cluster now. */
  readonly document: () => Promise<ClusterDocument>;
  /** Does something, to a node if one is named. */
  readonly act: (action: string, node: string | undefined) => Response | Promise<Response>;
}

/** The paths that the page needs, but for `/events`. */
export function pageRoutes({ document, act }: PageSource): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ["/", { GET: servePage }],
    ["/page", { GET: servePage }],
    ["/page/cluster", { GET: async () => json(await document()) }],
    ["/page/act", { POST: async (request) => await perform(request, act) }],
  ]);
}

async function perform(request: Request, act: PageSource["act"]): Promise<Response> {
  const asked: unknown = await request.json().catch(() => null);
  const { action, node } = (asked ?? {}) as Record<string, unknown>;
  if (typeof action !== "string" || (node !== undefined && typeof node !== "string")) {
    return problem(400, 'Expected JSON: { "action": …, "node": … }');
  }
  return await act(action, node);
}

/** The page may run its own script and ask the server that it came from; nothing that it shows can become a part of it. */
function servePage(): Response {
  const nonce = crypto.randomUUID();
  const policy = `default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-${nonce}'; ` +
    `style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  return new Response(pageHtml(nonce), {
    headers: { ...HEADERS, "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
  });
}
