// Copyright 2026 the Partisan peer-service authors. MIT license.

import { dns } from "../discovery/dns.ts";
import { file } from "../discovery/file.ts";
import { kubernetes } from "../discovery/kubernetes.ts";
import { list } from "../discovery/list.ts";
import { type Discovery, fileStore, type PeerServiceOptions, type TlsOptions } from "../mod.ts";
import { type Arguments, checkValue } from "./option_table.ts";
import { startOptions } from "./start_options.ts";
import { strategies } from "./strategies.ts";
import { UsageError } from "./usage_error.ts";
import { messageOf } from "../runtime/message_of.ts";

/** Options that only `--config` can set, with their names in `startPeerService`. */
export const STRUCTURES = [
  "channels",
  "metadata",
  "heartbeat",
  "gossip",
  "evict",
  "allow",
  "maxFrameBytes",
  "relayTtl",
] as const;

/** Settings of `start`: of its arguments, else of the environment, else of a file. */
export class StartSettings {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #structures: Readonly<Record<string, unknown>>;

  private constructor(values: ReadonlyMap<string, readonly string[]>, structures: Readonly<Record<string, unknown>>) {
    this.#values = values;
    this.#structures = structures;
  }

  /**
   * @param environment The value of a variable.
   * @throws {UsageError} When something is unknown, of the wrong kind or out of range.
   */
  static async read(
    args: Arguments,
    environment: (variable: string) => string | undefined = (variable) => Deno.env.get(variable),
  ): Promise<StartSettings> {
    const config = args.text("config") ?? (environment("PARTISAN_CONFIG") || undefined);
    const inFile = config === undefined ? new Map<string, unknown>() : await readConfig(config);
    const values = new Map<string, readonly string[]>();
    for (const option of startOptions.filter(({ name }) => name !== "config")) {
      const variable = variableOf(option.name);
      const fromFile = inFile.get(camelCase(option.name));
      inFile.delete(camelCase(option.name));
      const given = args.list(option.name);
      const fromEnvironment = environment(variable) || undefined;
      if (given.length > 0) values.set(option.name, given);
      else if (fromEnvironment !== undefined) {
        const parts = option.repeat === true && option.name !== "discovery"
          ? fromEnvironment.split(",")
          : fromEnvironment.split("\n");
        values.set(option.name, parts.map((text) => checkValue(option, `The variable ${variable}`, text.trim())));
      } else if (fromFile !== undefined) {
        const what = `"${camelCase(option.name)}" in "${config}"`;
        const parts = option.repeat === true && Array.isArray(fromFile) ? fromFile : [fromFile];
        values.set(option.name, parts.map((value) => checkValue(option, what, textOf(what, value))));
      }
    }
    const structures: Record<string, unknown> = {};
    for (const name of STRUCTURES) {
      if (inFile.has(name)) structures[name] = inFile.get(name);
      inFile.delete(name);
    }
    for (const name of inFile.keys()) throw new UsageError(`Unknown option "${name}" in "${config}"`);
    return new StartSettings(values, structures);
  }

  /** The value of an option. */
  text(option: string): string | undefined {
    return this.#values.get(option)?.at(-1);
  }

  /** All values of an option that may be repeated. */
  list(option: string): readonly string[] {
    return this.#values.get(option) ?? [];
  }

  /** Options for `startPeerService`. */
  async nodeOptions(): Promise<PeerServiceOptions> {
    const strategy = this.text("strategy");
    const store = this.text("store");
    const [listen, advertise] = [this.#values.get("listen"), this.#values.get("advertise")];
    // What the file says is checked by startPeerService().
    return {
      ...this.#structures,
      name: this.text("name"),
      listen,
      advertise,
      cluster: this.text("cluster"),
      preset: this.text("preset") as PeerServiceOptions["preset"],
      appVersion: this.text("app-version"),
      discovery: this.#discovery(),
      secret: await this.secrets(),
      tls: await this.tls(),
      ...(strategy === undefined ? {} : { strategy: strategies[strategy]!.create() }),
      ...(store === undefined ? {} : { store: fileStore(store) }),
    };
  }

  /** The secrets, read anew; `undefined` where there are none. */
  async secrets(): Promise<readonly string[] | undefined> {
    const path = this.text("secret-file");
    if (path === undefined) return undefined;
    const secrets = (await readText(path)).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
    if (secrets.length === 0) throw new UsageError(`The file "${path}" holds no secret`);
    return secrets;
  }

  /** The certificates, read anew; `undefined` where there are none. */
  async tls(): Promise<TlsOptions | undefined> {
    const paths = ["tls-cert", "tls-key", "tls-ca"].map((option) => this.text(option));
    if (paths.every((path) => path === undefined)) return undefined;
    const missing = ["--tls-cert", "--tls-key", "--tls-ca"].find((_, index) => paths[index] === undefined);
    if (missing !== undefined) throw new UsageError(`Option "${missing}" is missing: TLS needs all three files`);
    const [cert, key, ca] = await Promise.all(paths.map((path) => readText(path!)));
    return { cert: cert!, key: key!, ca: ca! };
  }

  #discovery(): Discovery[] {
    const joins = this.#values.get("join") ?? [];
    const sources = (this.#values.get("discovery") ?? []).map(discoveryOf);
    return joins.length === 0 ? sources : [list(joins), ...sources];
  }
}

/**
 * Makes a source of `dns:NAME:PORT`, `dns:_SERVICE._tcp.NAME` (SRV), `file:PATH`, `list:A,B` or `kubernetes:SERVICE:PORT`.
 *
 * @throws {UsageError} When it is none of these.
 */
export function discoveryOf(text: string): Discovery {
  const [, kind, rest = ""] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  const [, name = rest, port] = /^(.+):([^:]+)$/.exec(rest) ?? [];
  if (kind === "list" && rest !== "") return list(rest.split(","));
  if (kind === "file" && rest !== "") return file(rest);
  if (kind === "kubernetes" && name !== "") {
    return kubernetes({ service: name, port: /^\d{1,5}$/.test(port ?? "") ? Number(port) : port });
  }
  if (kind === "dns" && name.startsWith("_")) return dns(name, { type: "SRV" });
  if (kind === "dns" && /^\d{1,5}$/.test(port ?? "")) return dns(name, { port: Number(port) });
  throw new UsageError(
    `Option "--discovery" is "${text}": expected dns:NAME:PORT, dns:_SRV-NAME, file:PATH, list:A,B or kubernetes:SERVICE:PORT`,
  );
}

async function readConfig(path: string): Promise<Map<string, unknown>> {
  const text = await readText(path);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  } catch (error) {
    throw new UsageError(`Cannot read "${path}": ${messageOf(error)}`);
  }
  throw new UsageError(`Cannot read "${path}": it is no JSON object`);
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UsageError(`Cannot read "${path}": ${messageOf(error)}`);
  }
}

function textOf(what: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return `${value}`;
  throw new UsageError(`${what} must be text`);
}

/** The variable that an option can come from. */
export function variableOf(option: string): string {
  return `PARTISAN_${option.toUpperCase().replaceAll("-", "_")}`;
}

/** The name of an option in the file. */
export function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
