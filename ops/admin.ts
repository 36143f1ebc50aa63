// Copyright 2026 the Partisan peer-service authors. MIT license.

import { PeerService } from "../manager/peer_service.ts";
import type { PeerServiceManager } from "../manager/peer_service_manager.ts";
import { checkOptions, FUNCTION, NUMBER, type OptionKinds, STRING, STRINGS } from "../runtime/options.ts";
import { checkPort } from "../wire/check_port.ts";
import { adminFolder, adminPath, formatAdminEndpoint, makeAdminFolder } from "./admin_endpoint.ts";
import { type AdminHandle, adminHandler } from "./admin_handler.ts";
import { serveSocket } from "./admin_socket.ts";
import { hostSet } from "./guard.ts";

/** A token that has fewer characters can be guessed. */
const TOKEN_MIN = 16;

/** Options of {@linkcode serveAdmin}. */
export interface AdminOptions {
  /**
   * Path of the Unix socket.
   *
   * @default {`partisan/<name>.sock` in `XDG_RUNTIME_DIR`}
   */
  readonly path?: string | undefined;
  /**
   * Host name or address to listen on, on TCP in place of a Unix socket; with `port` only.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string | undefined;
  /**
   * Listens on this TCP port in place of a Unix socket; 0 is any free one. Needs `token`.
   *
   * @default {none: a Unix socket}
   */
  readonly port?: number | undefined;
  /**
   * Token that each request must carry, as `Authorization: Bearer …`: at least 16 characters. On TCP there must be one.
   *
   * @default {none}
   */
  readonly token?: string | undefined;
  /**
   * Names by which the endpoint is reached over TCP, without port; IP addresses and `localhost` are always allowed.
   *
   * @default {[]}
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Reads secrets and certificates anew and hands them to the node, for `partisan keys reload`.
   *
   * @default {none: `keys reload` is refused}
   */
  readonly reloadKeys?: (() => Promise<void>) | undefined;
}

const KINDS: OptionKinds<AdminOptions> = {
  path: STRING,
  hostname: STRING,
  port: NUMBER,
  token: STRING,
  hosts: STRINGS,
  reloadKeys: FUNCTION,
};

/** An admin endpoint of a node. */
export interface AdminServer extends AsyncDisposable {
  /** Address as `partisan --admin` takes it: the path of the socket, or `host:port`. */
  readonly address: string;
  /** Lets requests that are under way finish, ends streams, and stops listening. Closing twice does nothing more. */
  close(): Promise<void>;
}

/**
 * Has a node be seen and operated by the command `partisan`: by every user who may open its Unix socket, that is by the user of the process, or,
 * over TCP, by those who have the token. It ends with the node.
 *
 * Requests are `POST /v1/<operation>` with a JSON object; what changes nothing can be asked with `GET` as well. Answers are JSON; `/v1/watch` and
 * `/v1/top` send a JSON object a line for as long as they are read. Needs the permissions to read and write the folder of the socket,
 * `--allow-net`, `--allow-sys=uid`, and `--allow-env=XDG_RUNTIME_DIR` when no `path` is given.
 *
 * @param node Any node, whatever its contract.
 * @throws {TypeError} When the node is not one of this module, or a token is missing or too short, or another option can be none.
 * @throws {RangeError} When the port is none.
 * @throws {Error} When the socket is in use or its folder is not safe.
 *
 * @example A node that `partisan` can attach to
 * ```ts
 * import { startPeerService } from "@partisan/peer-service";
 * import { serveAdmin } from "@partisan/peer-service/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using node = await startPeerService({ name: "a" });
 * const token = crypto.randomUUID();
 * await using admin = await serveAdmin(node, { port: 0, token });
 *
 * const headers = { authorization: `Bearer ${token}` };
 * const answer = await fetch(`http://${admin.address}/v1/members`, { headers });
 * const { members } = await answer.json();
 * assertEquals(members[0].name, "a");
 * ```
 */
export async function serveAdmin(node: PeerServiceManager, options: AdminOptions = {}): Promise<AdminServer> {
  PeerService.nodeOf(node);
  const { stopSignal } = node;
  const { path, hostname = "127.0.0.1", port, token, hosts = [], reloadKeys } = checkOptions(
    "Cannot serve",
    options,
    KINDS,
  );
  if (port !== undefined) checkPort("Cannot serve", port, 0);
  if (token !== undefined && token.length < TOKEN_MIN) {
    throw new TypeError(`Cannot serve: the token has ${token.length} characters, expected at least ${TOKEN_MIN}`);
  }
  if (port !== undefined && token === undefined) {
    throw new TypeError("Cannot serve over TCP without a token: others on this machine could do anything");
  }
  const names = port === undefined ? null : hostSet(hosts, "Cannot serve");
  const { handle, end } = adminHandler(node, { token, hosts: names, reloadKeys });
  const server = port === undefined ? await serveOnSocket(node, path, handle) : serveOnTcp({ hostname, port }, handle);
  let closing: Promise<void> | undefined;
  const close = () => {
    stopSignal.removeEventListener("abort", close);
    end();
    return closing ??= server.shutdown();
  };
  stopSignal.addEventListener("abort", close);
  return { address: server.address, close, [Symbol.asyncDispose]: close };
}

async function serveOnSocket(node: PeerServiceManager, path: string | undefined, handle: AdminHandle) {
  if (path === undefined) await makeAdminFolder(adminFolder());
  const address = path ?? adminPath(node.name);
  const server = await serveSocket(address, handle);
  return { address, shutdown: () => server.shutdown() };
}

function serveOnTcp(where: { hostname: string; port: number }, handle: AdminHandle) {
  const server = Deno.serve({ ...where, onListen: () => {} }, handle);
  return { address: formatAdminEndpoint(server.addr), shutdown: () => server.shutdown() };
}
