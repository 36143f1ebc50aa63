// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { sleep } from "../runtime/sleep.ts";
import { AdminInput } from "./admin_input.ts";
import { type AdminOperation, operations } from "./admin_operations.ts";
import { topView } from "./admin_views.ts";
import { eventLines } from "./bounded_feed.ts";
import { EventFeeds } from "./event_feed.ts";
import { hasToken, isForUs, isFromElsewhere } from "./guard.ts";
import { plainJson } from "./plain_json.ts";

/** Bytes of a request at most. */
const BODY_BYTES_MAX = 16 * 1_048_576;
const INTERVAL_MIN = 100;
const INTERVAL_MAX = 3_600_000;
const INTERVAL = 1_000;
/** Errors of requests that make no sense, whatever the state of the node. */
const SENSELESS: ReadonlySet<string> = new Set(["TypeError", "RangeError", "SyntaxError", "EncodeError"]);

/** Options of an {@linkcode adminHandler}. */
export interface AdminHandlerOptions {
  readonly token: string | undefined;
  /** Names that requests may be for; `null` where no browser can send any. */
  readonly hosts: ReadonlySet<string> | null;
  readonly reloadKeys: (() => Promise<void>) | undefined;
}

/** Answers a request. */
export type AdminHandle = (request: Request, info: { readonly completed: Promise<void> }) => Promise<Response>;

/** Answers requests to the admin endpoint of a node. `end` ends the streams. */
export function adminHandler(
  node: PeerServiceManager,
  { token, hosts, reloadKeys }: AdminHandlerOptions,
): { handle: AdminHandle; end(): void } {
  const feeds = new EventFeeds(PeerService.nodeOf(node), eventLines);
  const ending = new AbortController();
  const all = new Map<string, AdminOperation>([
    ...operations,
    ["keys/reload", { changes: true, run: () => reload(node, reloadKeys) }],
    ["watch", { changes: false, run: () => feeds.hasRoom ? feeds.open() : problem(503, "Too many watch already") }],
    ["top", { changes: false, run: (_, input, signal) => top(node, input, AbortSignal.any([signal, ending.signal])) }],
  ]);
  const handle: AdminHandle = async (request, info) => {
    if (hosts !== null && (!isForUs(request, hosts) || isFromElsewhere(request))) {
      return problem(421, "This endpoint does not go by that name: reach it by its address");
    }
    if (token !== undefined && !await hasToken(request, token)) {
      return problem(401, "The token is missing or wrong", "TokenError");
    }
    const { pathname, searchParams } = new URL(request.url);
    const name = /^\/v1\/([a-z/]+)$/.exec(pathname)?.[1] ?? "";
    const operation = all.get(name);
    if (operation === undefined) return problem(404, `There is no "${pathname.slice(0, 100)}" here`, "NoSuchOperation");
    const isRead = request.method === "GET" && !operation.changes;
    if (!isRead && request.method !== "POST") return problem(405, "It takes POST and a JSON object");
    try {
      const body = isRead ? Object.fromEntries(searchParams) : await readJson(request);
      const result = await operation.run(node, new AdminInput(name, body), untilGone(info));
      if (result instanceof Response) return result;
      if (result instanceof ReadableStream) return new Response(result, { headers: headersOf("application/x-ndjson") });
      return json(result, 200);
    } catch (error) {
      return failure(error);
    }
  };
  const end = () => {
    feeds.close();
    ending.abort();
  };
  return { handle, end };
}

/** Aborted when the other side has gone before it was answered. */
function untilGone({ completed }: { readonly completed: Promise<void> }): AbortSignal {
  const controller = new AbortController();
  completed.catch(() =>
    controller.abort(new DOMException("Cannot go on: the answer is not awaited any more", "AbortError"))
  );
  return controller.signal;
}

async function reload(node: PeerServiceManager, reloadKeys: (() => Promise<void>) | undefined): Promise<unknown> {
  if (reloadKeys === undefined) {
    throw new Error(`Cannot reload the keys of "${node.name}": its program has given serveAdmin() no reloadKeys`);
  }
  await reloadKeys();
  return node.stats().trust;
}

/** A snapshot at once, and one after each interval, if the reader has taken the last one. */
function top(node: PeerServiceManager, input: AdminInput, signal: AbortSignal): ReadableStream<Uint8Array> {
  const asked = input.value("interval");
  const interval = asked === undefined ? INTERVAL : Number(asked);
  if (!(interval >= INTERVAL_MIN && interval <= INTERVAL_MAX)) {
    throw new RangeError(`Cannot do "top": "interval" must be from ${INTERVAL_MIN} to ${INTERVAL_MAX} milliseconds`);
  }
  const gone = new AbortController();
  const until = AbortSignal.any([signal, gone.signal, node.stopSignal]);
  let isFirst = true;
  return new ReadableStream({
    async pull(controller) {
      try {
        if (!isFirst) await sleep(node.runtime.clock, interval, until);
        isFirst = false;
        until.throwIfAborted();
        controller.enqueue(new TextEncoder().encode(`${plainJson(topView(node))}\n`));
      } catch {
        if (!gone.signal.aborted) controller.close();
      }
    },
    cancel: () => gone.abort(),
  });
}

async function readJson(request: Request): Promise<unknown> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      throw new RangeError(`Cannot read the request: it has more than ${BODY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return bytes === 0 ? {} : JSON.parse(await new Blob(chunks).text());
}

function failure(error: unknown): Response {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const remote = error instanceof Error && "remote" in error ? { remote: error.remote } : {};
  return json({ error: { name, message, ...remote } }, SENSELESS.has(name) ? 400 : 409);
}

function problem(status: number, message: string, name = "RefusedError"): Response {
  return json({ error: { name, message } }, status);
}

function json(value: unknown, status: number): Response {
  return new Response(plainJson(value, Infinity), { status, headers: headersOf("application/json") });
}

function headersOf(type: string): Record<string, string> {
  return { "content-type": type, "cache-control": "no-store", "x-content-type-options": "nosniff" };
}
