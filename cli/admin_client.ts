// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type AdminEndpoint, adminFolder, formatAdminEndpoint, parseAdminEndpoint } from "../ops/admin_endpoint.ts";
import { isServed } from "../ops/admin_socket.ts";
import type { Arguments } from "./option_table.ts";
import { readLines } from "./protocol.ts";

/** There is no admin endpoint, or it refuses. */
export class EndpointError extends Error {
  /** Always `"EndpointError"`. */
  override readonly name = "EndpointError";
}

/** Error of an operation that the node was asked for. */
export class OperationError extends Error {
  /** Always `"OperationError"`. */
  override readonly name = "OperationError";
  /** The name of the error there. */
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Asks a running node. */
export class AdminClient implements Disposable {
  readonly #endpoint: AdminEndpoint;
  readonly #token: string | undefined;
  readonly #client: Deno.HttpClient | undefined;

  private constructor(endpoint: AdminEndpoint, token: string | undefined) {
    this.#endpoint = endpoint;
    this.#token = token;
    this.#client = "path" in endpoint
      ? Deno.createHttpClient({ proxy: { transport: "unix", path: endpoint.path } })
      : undefined;
  }

  /** Finds the endpoint that a command line means. @throws {EndpointError} When there is none, or several. */
  static async open(args: Arguments): Promise<AdminClient> {
    const where = args.text("admin") ?? Deno.env.get("PARTISAN_ADMIN");
    const endpoint = where === undefined ? { path: await onlySocket() } : parseAdminEndpoint(where);
    return new AdminClient(endpoint, await readToken(args.text("token-file") ?? Deno.env.get("PARTISAN_TOKEN_FILE")));
  }

  /** Has the node do something. @throws {OperationError} When that does not succeed. */
  async ask<Result>(operation: string, input: Readonly<Record<string, unknown>> = {}): Promise<Result> {
    const response = await this.#post(operation, input);
    return await response.json();
  }

  /** The lines of something that goes on until the node stops. @throws {EndpointError} Then. */
  async *lines(operation: string, input: Readonly<Record<string, unknown>> = {}): AsyncGenerator<string> {
    const { body } = await this.#post(operation, input);
    const lines = readLines(body!);
    const next = async () => {
      try {
        return await lines.next();
      } catch {
        return null;
      }
    };
    try {
      for (let line; (line = await next()) && !line.done;) if (line.value !== "") yield line.value;
    } finally {
      await lines.return(undefined);
    }
    throw new EndpointError(
      `The node at "${formatAdminEndpoint(this.#endpoint)}" has stopped, or its endpoint was closed`,
    );
  }

  [Symbol.dispose](): void {
    this.#client?.close();
  }

  async #post(operation: string, input: Readonly<Record<string, unknown>>): Promise<Response> {
    const host = "path" in this.#endpoint ? "localhost" : formatAdminEndpoint(this.#endpoint);
    const response = await this.#fetch(`http://${host}/v1/${operation}`, JSON.stringify(input));
    if (response.ok) return response;
    const { error } = await response.json().catch(() => ({ error: undefined }));
    const { name = "", message = `status ${response.status}` } = error ?? {};
    if (error === undefined || response.status === 401 || response.status === 421) throw this.#refused(message);
    throw new OperationError(name, message);
  }

  async #fetch(url: string, body: string): Promise<Response> {
    const headers = {
      "content-type": "application/json",
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
    };
    try {
      return await fetch(url, {
        method: "POST",
        headers,
        body,
        ...(this.#client === undefined ? {} : { client: this.#client }),
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      throw this.#refused("no node answers there");
    }
  }

  #refused(reason: string): EndpointError {
    return new EndpointError(`Cannot attach to "${formatAdminEndpoint(this.#endpoint)}": ${reason}`);
  }
}

/** The token in a file; `undefined` without one. */
export async function readToken(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (cause) {
    throw new EndpointError(`Cannot read the token in "${path}"`, { cause });
  }
}

async function onlySocket(): Promise<string> {
  const folder = adminFolder();
  const found: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".sock")) found.push(`${folder}/${name}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const served = (await Promise.all(found.map(async (path) => await isServed(path) ? [path] : []))).flat().sort();
  if (served.length === 1) return served[0]!;
  if (served.length === 0) {
    throw new EndpointError(`Cannot find a node in "${folder}": start one with "partisan start", or use --admin`);
  }
  throw new EndpointError(`Cannot choose among ${served.length} nodes: use --admin with ${served.join(" or ")}`);
}
