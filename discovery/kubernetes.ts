// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { Discovery } from "../manager/discovery.ts";
import { checkOptions, KEY, type OptionKind, type OptionKinds, STRING } from "../runtime/options.ts";
import type { Address } from "../wire/address.ts";
import { checkPort } from "../wire/check_port.ts";
import { ApiError, KubernetesApi } from "./kubernetes_api.ts";

/** Options of {@linkcode kubernetes}. */
export interface KubernetesOptions {
  /**
   * Namespace of the pods.
   *
   * @default {the namespace of this pod}
   */
  readonly namespace?: string | undefined;
  /**
   * The service whose endpoints are the nodes. Its EndpointSlices are read, whether an endpoint is ready or not.
   *
   * @default {none: one of "service" and "selector" is needed}
   */
  readonly service?: string | undefined;
  /**
   * The labels by which the pods of the nodes are selected, such as `"app=chat"`.
   *
   * @default {none: one of "service" and "selector" is needed}
   */
  readonly selector?: string | undefined;
  /**
   * The port of every node, or the name that it has in the EndpointSlice or the pod.
   *
   * @default {the only port that is named there}
   */
  readonly port?: number | string | undefined;
  /**
   * The API server.
   *
   * @default {that of the cluster in which this pod runs}
   */
  readonly api?: string | URL | undefined;
}

const URL_OR_TEXT: OptionKind = [
  "a URL",
  (value) => value instanceof URL || (typeof value === "string" && URL.canParse(value)),
];

const KINDS: OptionKinds<KubernetesOptions> = {
  namespace: STRING,
  service: STRING,
  selector: STRING,
  port: KEY,
  api: URL_OR_TEXT,
};

/** Milliseconds between two attempts to watch, at least and at most. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 60_000;

interface Meta {
  readonly resourceVersion?: string;
  readonly continue?: string;
}

interface List<Item> {
  readonly metadata?: Meta;
  readonly items?: readonly Item[];
}

interface Port {
  readonly name?: string;
  readonly port?: number;
  readonly containerPort?: number;
}

interface EndpointSlice {
  readonly ports?: readonly Port[];
  readonly endpoints?: readonly { readonly addresses?: readonly string[] }[];
}

interface Pod {
  readonly metadata?: { readonly deletionTimestamp?: string };
  readonly spec?: { readonly containers?: readonly { readonly ports?: readonly Port[] }[] };
  readonly status?: { readonly podIP?: string; readonly phase?: string };
}

/**
 * Finds nodes that are pods of a Kubernetes cluster: asks the API server with the service account of this pod, and watches for changes.
 * The token is read anew for each request, since it is renewed while the pod runs. The account needs the verbs `list` and `watch` on
 * `endpointslices` (`discovery.k8s.io`), or on `pods` with a selector.
 *
 * Needs `--allow-net` for the API server, `--allow-read=/var/run/secrets/kubernetes.io` and
 * `--allow-env=KUBERNETES_SERVICE_HOST,KUBERNETES_SERVICE_PORT`.
 *
 * @throws {TypeError} When neither or both of "service" and "selector" are given, or an option can be none.
 * @throws {RangeError} When the port is none.
 *
 * @example The endpoints of a headless service
 * ```ts
 * import { kubernetes } from "@partisan/peer-service/discovery";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const discovery = kubernetes({ service: "chat", port: "partisan" });
 * assertEquals(discovery.name, "kubernetes service chat");
 * assertThrows(() => kubernetes(), TypeError, "service");
 * ```
 */
export function kubernetes(options: KubernetesOptions = {}): Discovery {
  const action = "Cannot find nodes in Kubernetes";
  const { service, selector, namespace, port, api } = checkOptions(action, options, KINDS);
  if ((service === undefined) === (selector === undefined)) {
    throw new TypeError(`${action}: expected either the option "service" or the option "selector"`);
  }
  if (typeof port === "number") checkPort(action, port);
  const server = new KubernetesApi({ api, namespace });
  const query = service === undefined ? { group: "api/v1", resource: "pods", labels: selector ?? "" } : {
    group: "apis/discovery.k8s.io/v1",
    resource: "endpointslices",
    labels: `kubernetes.io/service-name=${service}`,
  };
  const read = service === undefined
    ? (items: readonly unknown[]) => (items as readonly Pod[]).flatMap((pod) => addressesOfPod(pod, port))
    : (items: readonly unknown[]) =>
      (items as readonly EndpointSlice[]).flatMap((slice) => addressesOfSlice(slice, port));
  return {
    name: service === undefined ? `kubernetes pods ${selector}` : `kubernetes service ${service}`,
    lookup: async (signal) => read((await listAll(server, query, signal)).items),
    watch: (changed, signal) => void keepWatching(server, query, changed, signal),
  };
}

interface Query {
  readonly group: string;
  readonly resource: string;
  readonly labels: string;
}

/** All pages of a list, and the version of the whole. */
async function listAll(api: KubernetesApi, { group, resource, labels }: Query, signal: AbortSignal) {
  const items: unknown[] = [];
  let version = "";
  let next: string | undefined;
  do {
    const parameters = { labelSelector: labels, limit: "500", ...(next !== undefined && { continue: next }) };
    const page = await api.get(group, resource, parameters, signal) as List<unknown>;
    items.push(...page.items ?? []);
    version = page.metadata?.resourceVersion ?? "";
    next = page.metadata?.continue || undefined;
  } while (next !== undefined);
  return { items, version };
}

function addressesOfSlice({ endpoints = [], ports = [] }: EndpointSlice, port: number | string | undefined): Address[] {
  const number = portOf(ports.map((given) => ({ name: given.name, number: given.port })), port);
  if (number === undefined) return [];
  return endpoints.flatMap(({ addresses = [] }) => addresses.map((hostname) => ({ hostname, port: number })));
}

function addressesOfPod({ metadata, spec, status }: Pod, port: number | string | undefined): Address[] {
  const hostname = status?.podIP;
  const isGoing = metadata?.deletionTimestamp !== undefined || ["Succeeded", "Failed"].includes(status?.phase ?? "");
  if (hostname === undefined || isGoing) return [];
  const ports = (spec?.containers ?? []).flatMap(({ ports = [] }) => ports);
  const number = portOf(ports.map((given) => ({ name: given.name, number: given.containerPort })), port);
  return number === undefined ? [] : [{ hostname, port: number }];
}

function portOf(
  ports: readonly { readonly name: string | undefined; readonly number: number | undefined }[],
  wanted: number | string | undefined,
): number | undefined {
  if (typeof wanted === "number") return wanted;
  if (wanted === undefined) return ports.length === 1 ? ports[0]?.number : undefined;
  return ports.find(({ name }) => name === wanted)?.number;
}

/** Watches from the present version on, begins anew where that is gone, and waits longer after each failure in a row. */
async function keepWatching(api: KubernetesApi, query: Query, changed: () => void, signal: AbortSignal): Promise<void> {
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        version = (await listAll(api, query, signal)).version;
        changed();
      }
      for await (
        const event of api.watch(
          query.group,
          query.resource,
          { labelSelector: query.labels, resourceVersion: version },
          signal,
        )
      ) {
        failures = 0;
        version = event.version ?? version;
        if (event.type !== "BOOKMARK") changed();
      }
    } catch (error) {
      // The history that the version is from is kept for minutes only.
      if (error instanceof ApiError && error.status === 410) version = undefined;
      failures++;
    }
    if (!signal.aborted) await pause(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 10)), signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      resolve();
    };
    // Not all pods of a deployment at once.
    const timer = setTimeout(finish, milliseconds * (0.5 + Math.random() / 2));
    signal.addEventListener("abort", finish);
  });
}
