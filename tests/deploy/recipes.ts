// Copyright 2026 the Partisan peer-service authors. MIT license.

import { answers } from "../std_imports.ts";

/** An environment variable of a container. */
export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

/** Question that Kubernetes asks a pod over HTTP. */
export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** Template that a pod is made from. */
export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly {
      readonly args: readonly string[];
      readonly env: readonly Variable[];
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
      readonly startupProbe: Probe;
      readonly readinessProbe: Probe;
      readonly livenessProbe: Probe;
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes: readonly { readonly name: string }[];
  };
}

/** Permission to ask the API server. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** A document of Kubernetes: only what is looked at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[];
  readonly rules?: readonly Rule[];
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly serviceName?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly podManagementPolicy?: string;
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
    readonly selector?: Readonly<Record<string, string>> & { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: PodTemplate;
  };
}

const ROOT = new URL("../../deploy/", import.meta.url);
const PYTHON = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";

const registry = Deno.env.get("NPM_CONFIG_REGISTRY") ?? "https://registry.npmjs.org/";

/** Whether packages of npm can be had here. */
export const isNpmReachable = await answers(new URL("yaml", registry.endsWith("/") ? registry : `${registry}/`));

/** Reads a recipe as it is written. */
export function readRecipe(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

const parse = await yamlParser();

/** Whether there is something here that reads YAML: Python's library, or one of npm. */
export const canReadYaml = parse !== null;

/** The documents in a recipe. */
export async function documents<Document = Manifest>(path: string): Promise<Document[]> {
  if (parse === null) throw new Error("Cannot read YAML: neither Python's yaml nor npm is to be had");
  return await parse(await readRecipe(path)) as Document[];
}

async function yamlParser(): Promise<((text: string) => Promise<unknown[]>) | null> {
  if (await python("{}").catch(() => null) !== null) return python;
  if (!isNpmReachable) return null;
  // By a name that no node can follow: nothing of it is in any graph of imports.
  const library: { parseAllDocuments(text: string): { toJS(): unknown }[] } = await import(["npm", "yaml@2"].join(":"));
  return (text) => Promise.resolve(library.parseAllDocuments(text).map((document) => document.toJS()));
}

async function python(text: string): Promise<unknown[]> {
  const process = new Deno.Command("python3", { args: ["-c", PYTHON], stdin: "piped", stdout: "piped", stderr: "null" })
    .spawn();
  const output = process.output();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text)).then(() => writer.close()).catch(() => {});
  const { success, stdout } = await output;
  if (!success) throw new Error("Python cannot read it as YAML");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The value of a kind of document of which there is one. */
export function only(all: readonly Manifest[], kind: string): Manifest {
  const [found, ...more] = all.filter((document) => document.kind === kind);
  if (found === undefined || more.length > 0) throw new Error(`Expected one ${kind}`);
  return found;
}
