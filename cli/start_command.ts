// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type LogEntry, type PeerServiceManager, type PeerServiceOptions, startPeerService } from "../mod.ts";
import { serveAdmin } from "../ops/admin.ts";
import { parseAdminEndpoint } from "../ops/admin_endpoint.ts";
import { httpHandler } from "../ops/http_handler.ts";
import { readToken } from "./admin_client.ts";
import { EXIT_CODES } from "./help_text.ts";
import type { Arguments } from "./option_table.ts";
import { printResult } from "./attached.ts";
import { complain } from "./output.ts";
import { StartSettings } from "./start_settings.ts";
import { watchSignals } from "./termination.ts";
import { UsageError } from "./usage_error.ts";
import { messageOf } from "../runtime/message_of.ts";
import { formatAddress } from "../wire/address.ts";

const DRAIN_MS = 30_000;

/** Report of a node that has started. */
interface Started {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Address of its admin endpoint. */
  readonly admin: string | null;
  /** Address at which it serves health and the page. */
  readonly http: string | null;
}

/** Runs a node until it has left or was stopped. @returns The exit code. */
export async function runStart(args: Arguments): Promise<number> {
  // Before anything else: a signal that comes meanwhile ends the node in good order, too.
  using signals = watchSignals();
  const settings = await StartSettings.read(args);
  const token = await readToken(settings.text("token-file"));
  await using node = await startNode({ ...await settings.nodeOptions(), log });
  let isRemoved = false;
  node.addEventListener("removed", ({ detail }) => {
    isRemoved = true;
    tell(`"${node.name}" stops: ${detail.reason}`);
  });
  for (const type of ["up", "down", "join", "leave", "evicted"] as const) {
    node.addEventListener(type, ({ detail }) => {
      if (!("channel" in detail) || detail.channel === undefined) tell(`${type} ${detail.node}`);
    });
  }
  const reloadKeys = () => reload(node, settings);
  signals.onHangup = () => void reloadKeys().catch((error) => tell(`cannot reload the keys: ${messageOf(error)}`));
  const admin = await openAdmin(node, settings, token, reloadKeys);
  await using http = openHttp(node, settings, token);
  const started: Started = {
    name: node.name,
    addresses: node.spec.addresses.map(formatAddress),
    admin: admin?.address ?? null,
    http: http?.address ?? null,
  };
  printResult(args, started, startedText);
  await Promise.race([stopped(node), signals.first]);
  const timeout = Number(settings.text("drain-timeout") ?? DRAIN_MS);
  const interrupted = node.stopSignal.aborted ? undefined : await drain(node, timeout, signals.second);
  await admin?.close();
  return isRemoved ? EXIT_CODES.removed : interrupted ?? EXIT_CODES.success;
}

/** @throws {UsageError} When an option has a value that it cannot have. */
async function startNode(options: PeerServiceOptions): Promise<PeerServiceManager> {
  try {
    return await startPeerService(options);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

function startedText({ name, addresses, admin, http }: Started): string[] {
  const extras = [
    admin === null ? "" : `; admin endpoint: ${admin}`,
    http === null ? "" : `; HTTP: ${http}`,
  ];
  return [`"${name}" listens on ${addresses.join(" and ")}${extras.join("")}`];
}

/** @returns Exit code of a second signal; `undefined` where none came. */
async function drain(node: PeerServiceManager, timeout: number, second: Promise<number>): Promise<number | undefined> {
  tell("drains; a second signal stops it at once");
  const drained = node.drain({ timeout }).catch((error) => {
    if (!node.stopSignal.aborted) throw error;
  });
  const code = await Promise.race([drained.then(() => undefined), second]);
  if (code !== undefined) await node.stop();
  return code;
}

function openAdmin(
  node: PeerServiceManager,
  settings: StartSettings,
  token: string | undefined,
  reloadKeys: () => Promise<void>,
) {
  const where = settings.text("admin");
  if (where === "none") return null;
  if (where === undefined) return serveAdmin(node, { reloadKeys });
  const endpoint = parseAdminEndpoint(where);
  if ("path" in endpoint) return serveAdmin(node, { ...endpoint, reloadKeys });
  if (token === undefined) {
    throw new UsageError(`Option "--token-file" is missing: an admin endpoint on ${where} needs a token`);
  }
  return serveAdmin(node, { ...endpoint, token, reloadKeys });
}

function openHttp(node: PeerServiceManager, settings: StartSettings, token: string | undefined) {
  const where = settings.text("http");
  if (where === undefined) return null;
  const endpoint = parseAdminEndpoint(where);
  if (!("port" in endpoint)) throw new UsageError(`Option "--http" is "${where}": expected HOST:PORT`);
  const handler = httpHandler(node, { token, hosts: settings.list("http-host") });
  const server = Deno.serve({ ...endpoint, onListen: () => {} }, handler);
  return { address: `http://${formatAddress(server.addr)}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function reload(node: PeerServiceManager, settings: StartSettings): Promise<void> {
  const [secrets, tls] = [await settings.secrets(), await settings.tls()];
  if (secrets === undefined && tls === undefined) {
    throw new Error(`Cannot reload the keys of "${node.name}": it was started with neither secret nor certificates`);
  }
  if (secrets !== undefined) await node.updateSecrets(secrets);
  if (tls !== undefined) await node.updateTls(tls);
  tell("secrets and certificates were read anew");
}

function stopped({ stopSignal }: PeerServiceManager): Promise<void> {
  return new Promise((resolve) => {
    if (stopSignal.aborted) resolve();
    stopSignal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function log({ level, kind, message }: LogEntry): void {
  tell(`${level} ${kind}: ${message}`);
}

/** To standard error, with the time: what happens is no result. */
function tell(text: string): void {
  complain(`${new Date().toISOString()} ${text}`);
}
