// Copyright 2026 the Partisan peer-service authors. MIT license.

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Longest line of a watch, in characters. */
const LINE_MAX = 4 * 1024 * 1024;
/** Seconds after which the server ends a watch. */
const WATCH_SECONDS = 300;

/** The API server said no. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Something changed in what is watched. */
export interface WatchEvent {
  /** `"ADDED"`, `"MODIFIED"`, `"DELETED"` or `"BOOKMARK"`. */
  readonly type: string;
  /** From where to go on watching. */
  readonly version: string | undefined;
}

/** Address and credentials of a server. */
export interface KubernetesApiOptions {
  readonly api?: string | URL | undefined;
  readonly namespace?: string | undefined;
  /**
   * The folder with token, certificate authority and namespace of the service account.
   *
   * @default {where Kubernetes mounts it}
   */
  readonly account?: string;
}

/** The little of the Kubernetes API that finding nodes needs. */
export class KubernetesApi {
  readonly #options: KubernetesApiOptions;
  readonly #account: string;

  constructor(options: KubernetesApiOptions) {
    this.#options = options;
    this.#account = options.account ?? ACCOUNT;
  }

  /**
   * Reads a list.
   *
   * @throws {ApiError} When the server refuses.
   */
  async get(
    group: string,
    resource: string,
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    using client = await this.#client();
    const response = await this.#fetch(client, await this.#url(group, resource, parameters), signal);
    return await response.json();
  }

  /**
   * Yields what changes, until the server ends the watch.
   *
   * @throws {ApiError} When the server refuses: 410 when the version is too old.
   */
  async *watch(
    group: string,
    resource: string,
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const watching = { ...parameters, watch: "1", allowWatchBookmarks: "true", timeoutSeconds: `${WATCH_SECONDS}` };
    using client = await this.#client();
    const response = await this.#fetch(client, await this.#url(group, resource, watching), signal);
    for await (const line of lines(response.body)) yield readEvent(line);
  }

  async #fetch(client: Deno.HttpClient, url: URL, signal: AbortSignal): Promise<Response> {
    const token = await this.#read("token");
    const headers = { accept: "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const response = await fetch(url, { client, headers, signal });
    if (response.ok) return response;
    const text = (await response.text()).slice(0, 500);
    throw new ApiError(
      `Cannot read "${url.pathname}" from Kubernetes: status ${response.status}: ${text}`,
      response.status,
    );
  }

  async #client(): Promise<Deno.HttpClient> {
    const authority = await this.#read("ca.crt");
    return Deno.createHttpClient(authority === undefined ? {} : { caCerts: [authority] });
  }

  async #url(group: string, resource: string, parameters: Readonly<Record<string, string>>): Promise<URL> {
    const namespace = this.#options.namespace ?? await this.#read("namespace") ?? "default";
    const url = new URL(`${group}/namespaces/${encodeURIComponent(namespace)}/${resource}`, this.#base());
    for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
    return url;
  }

  #base(): URL {
    const { api } = this.#options;
    if (api !== undefined) return new URL(`${api}`.replace(/\/?$/, "/"));
    const host = Deno.env.get("KUBERNETES_SERVICE_HOST");
    if (host === undefined) {
      throw new TypeError(
        'Cannot find the API server of Kubernetes: this is no pod; the option "api" says where it is',
      );
    }
    const hostname = host.includes(":") ? `[${host}]` : host;
    return new URL(`https://${hostname}:${Deno.env.get("KUBERNETES_SERVICE_PORT") ?? "443"}/`);
  }

  /** A file of the service account; `undefined` when there is none, as outside of a pod. */
  async #read(name: string): Promise<string | undefined> {
    try {
      return (await Deno.readTextFile(`${this.#account}/${name}`)).trim();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}

function readEvent(line: string): WatchEvent {
  const { type, object } = JSON.parse(line) as {
    readonly type: string;
    readonly object?: {
      readonly metadata?: { readonly resourceVersion?: string };
      readonly code?: number;
      readonly message?: string;
    };
  };
  if (type === "ERROR") {
    throw new ApiError(`Cannot go on watching: ${object?.message ?? "the server gave no reason"}`, object?.code ?? 500);
  }
  return { type, version: object?.metadata?.resourceVersion };
}

async function* lines(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): AsyncGenerator<string> {
  if (body === null) return;
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    rest += piece;
    const complete = rest.split("\n");
    rest = complete.pop() ?? "";
    if (rest.length > LINE_MAX) throw new RangeError("Cannot go on watching: the server sent a line without end");
    yield* complete.filter((line) => line.trim() !== "");
  }
}
