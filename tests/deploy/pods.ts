// Copyright 2026 the Partisan peer-service authors. MIT license.

import { makeAuthority, makeCertificate } from "../../cli/certificates.ts";
import { ReservedPorts } from "../reserved_ports.ts";
import type { PodTemplate, Probe, Rule } from "./recipes.ts";
import { firstOf } from "../values.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;
const DAY_MS = 86_400_000;

/** One pod, as a process that listens on a loopback address of its own. */
export interface Pod {
  readonly name: string;
  readonly address: string;
  readonly process: Deno.ChildProcess;
  /** Output that it has written to standard error. */
  readonly log: Promise<string>;
}

/**
 * Runs pods as a template says, without an engine: a process for each, an API server over TLS that allows what the role allows, and folders
 * in place of volumes. Ports are others than in the template, so that two runs do not meet.
 */
export class Kubernetes implements AsyncDisposable {
  /** Requests to the API server: `resource verb`. */
  readonly asked = new Set<string>();
  readonly pods: Pod[] = [];
  readonly #template: PodTemplate;
  readonly #rules: readonly Rule[];
  readonly #folder: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #reserved = new ReservedPorts();
  readonly #ports: ReadonlyMap<string, number>;
  readonly #watches = new Set<ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>>();
  #version = 1;

  private constructor(template: PodTemplate, rules: readonly Rule[], folder: string, cert: string, key: string) {
    this.#template = template;
    this.#rules = rules;
    this.#folder = folder;
    this.#ports = new Map(this.#container.ports.map(({ name }) => [name, this.#reserved.take()]));
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
      (request) => this.#serve(new URL(request.url)),
    );
  }

  /** Starts the API server. */
  static async start(template: PodTemplate, rules: readonly Rule[]): Promise<Kubernetes> {
    const folder = await Deno.makeTempDir();
    const validity = { from: new Date(Date.now() - DAY_MS), to: new Date(Date.now() + DAY_MS) };
    const authority = await makeAuthority("kubernetes", validity);
    const { cert, key } = await makeCertificate(authority, ["localhost"], validity);
    await Deno.writeTextFile(`${folder}/ca.crt`, authority.cert);
    return new Kubernetes(template, rules, folder, cert, key);
  }

  /** Starts a pod whose volumes hold these files. */
  async run(name: string, files: Readonly<Record<string, string>>): Promise<Pod> {
    const address = `127.0.0.${this.pods.length + 2}`;
    const home = `${this.#folder}/${name}`;
    await Deno.mkdir(home, { mode: 0o700 });
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${home}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${home}${path}`, text);
    }
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-config", "-A", MAIN, ...this.#container.args],
      env: {
        ...this.#environment(name, address, home),
        DENO_CERT: `${this.#folder}/ca.crt`,
        KUBERNETES_SERVICE_HOST: "localhost",
        KUBERNETES_SERVICE_PORT: `${this.#server.addr.port}`,
        XDG_RUNTIME_DIR: home,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const pod = { name, address, process, log: new Response(process.stderr).text() };
    this.pods.push(pod);
    this.#tell();
    return pod;
  }

  /** Asks as a probe does. */
  async probe(pod: Pod, { httpGet: { path, port } }: Probe): Promise<boolean> {
    const response = await this.get(pod, path, port).catch(() => null);
    await response?.body?.cancel();
    return response?.ok ?? false;
  }

  /** Reads from a pod over HTTP. */
  get({ address }: Pod, path: string, port = "http"): Promise<Response> {
    return fetch(`http://${address}:${this.#ports.get(port)}${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.pods) {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }
    await Promise.all(this.pods.flatMap(({ process, log }) => [process.status, log]));
    for (const watch of this.#watches) watch.close();
    await this.#server.shutdown();
    this.#reserved[Symbol.dispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  get #container() {
    return firstOf(this.#template.spec.containers);
  }

  #environment(name: string, address: string, home: string): Record<string, string> {
    const fields = new Map([["metadata.name", name], ["status.podIP", address]]);
    const result = new Map<string, string>();
    for (const { name: variable, value, valueFrom } of this.#container.env) {
      let text = value?.replaceAll(/\$\((\w+)\)/g, (whole, other) => result.get(other) ?? whole) ??
        fields.get(valueFrom?.fieldRef.fieldPath ?? "") ?? "";
      for (const { name: port, containerPort } of this.#container.ports) {
        text = text.replace(new RegExp(`:${containerPort}$`), `:${this.#ports.get(port)}`);
      }
      const isInVolume = this.#container.volumeMounts.some(({ mountPath }) => text.startsWith(mountPath));
      result.set(variable, isInVolume ? `${home}${text}` : text);
    }
    return Object.fromEntries(result);
  }

  #serve({ pathname, searchParams }: URL): Response {
    const [, group = "", resource = ""] =
      /^\/(?:apis|api)\/(?:([a-z0-9.]+)\/)?v1\/namespaces\/[^/]+\/([a-z]+)$/.exec(pathname) ?? [];
    const verb = searchParams.has("watch") ? "watch" : "list";
    this.asked.add(`${resource} ${verb}`);
    const isAllowed = this.#rules.some(({ apiGroups, resources, verbs }) =>
      apiGroups.includes(group) && resources.includes(resource) && verbs.includes(verb)
    );
    if (!isAllowed) return Response.json({ kind: "Status", message: "Forbidden", code: 403 }, { status: 403 });
    if (verb === "watch") return this.#watch();
    const slice = {
      ports: [{ name: "partisan", port: this.#ports.get("partisan") }],
      endpoints: this.pods.map(({ address }) => ({ addresses: [address], conditions: { ready: false } })),
    };
    return Response.json({ metadata: { resourceVersion: `${this.#version}` }, items: [slice] });
  }

  #watch(): Response {
    let own: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
    return new Response(
      new ReadableStream<Uint8Array<ArrayBuffer>>({
        start: (controller) => {
          own = controller;
          this.#watches.add(controller);
        },
        cancel: () => {
          if (own !== undefined) this.#watches.delete(own);
        },
      }),
    );
  }

  #tell(): void {
    this.#version++;
    const event = { type: "MODIFIED", object: { metadata: { resourceVersion: `${this.#version}` } } };
    for (const watch of this.#watches) watch.enqueue(new TextEncoder().encode(`${JSON.stringify(event)}\n`));
  }
}
