// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ChannelSpec } from "../wire/node_spec.ts";
import { isPrintable, NODE_SPEC_LIMITS } from "../wire/node_spec_check.ts";
import type { SnapshotStore } from "../membership/snapshot_store.ts";
import type { Log } from "../runtime/log_entry.ts";
import type { Runtime } from "../transport/runtime.ts";
import { fullMesh } from "../strategy/full_mesh.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { Codec } from "../wire/codec.ts";
import { DEFAULT_CHANNEL, MEMBERSHIP_CHANNEL } from "../connections/peer.ts";
import type { Address } from "../wire/address.ts";
import { mapValues } from "../runtime/map_values.ts";
import { CHECKED_ELSEWHERE, checkOptions, OBJECT, type OptionKinds, STRINGS } from "../runtime/options.ts";
import { shown } from "../runtime/type_name.ts";
import { own } from "../wire/own.ts";
import type { Admit } from "./identity.ts";
import type { NodeTls } from "./node_tls.ts";
import { checkDialable, isWildcard, parseAddress } from "./addresses.ts";
import type { Discovery } from "./discovery.ts";
import { type Allowances, allowancesFrom } from "./allowances.ts";
import type { ChannelOptions, EvictOptions, PeerServiceOptions } from "./peer_service_options.ts";
import { type Preset, PRESETS } from "./presets.ts";
import { Secrets } from "./secrets.ts";

const DEFAULT_QUEUED_BYTES = 8 * 1024 * 1024;
const FULL_MESH_RELAY_TTL = 5;
const PARTIAL_VIEW_RELAY_TTL = 32;
const DEFAULT_FRAME_BYTES = 64 * 1024 * 1024;

/** {@linkcode PeerServiceOptions}, checked and complete. */
export interface Settings extends Preset {
  readonly name: string | undefined;
  readonly listen: readonly Address[];
  readonly advertise: readonly Address[] | undefined;
  readonly channels: Readonly<Record<string, ChannelSpec>>;
  readonly maxQueuedBytes: Readonly<Record<string, number>>;
  readonly strategy: Strategy;
  readonly cluster: string;
  readonly secrets: Secrets;
  readonly tls: NodeTls | undefined;
  readonly admit: Admit | undefined;
  readonly allow: Allowances;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly codec: Codec | undefined;
  readonly maxFrameBytes: number;
  readonly causalLabels: readonly string[] | undefined;
  readonly maxInflight: number;
  readonly maxPendingCalls: number;
  readonly maxStreams: number;
  readonly maxAttributeBytes: number;
  readonly relayTtl: number;
  readonly treeRefreshInterval: number;
  readonly joinTimeout: number;
  readonly store: SnapshotStore | undefined;
  readonly discovery: readonly Discovery[];
  readonly appVersion: string | undefined;
  readonly evict: EvictOptions | undefined;
  readonly log: Log | false | undefined;
  readonly runtime: Runtime;
  /** Whether `runtime` was given: the node may live in a simulation. */
  readonly isEmbedded: boolean;
}

const KINDS: OptionKinds<PeerServiceOptions> = {
  name: CHECKED_ELSEWHERE,
  listen: CHECKED_ELSEWHERE,
  advertise: CHECKED_ELSEWHERE,
  channels: OBJECT,
  strategy: OBJECT,
  cluster: CHECKED_ELSEWHERE,
  secret: CHECKED_ELSEWHERE,
  tls: OBJECT,
  admit: CHECKED_ELSEWHERE,
  allow: OBJECT,
  metadata: CHECKED_ELSEWHERE,
  preset: CHECKED_ELSEWHERE,
  heartbeat: OBJECT,
  gossip: OBJECT,
  codec: OBJECT,
  maxFrameBytes: CHECKED_ELSEWHERE,
  causalLabels: STRINGS,
  maxInflight: CHECKED_ELSEWHERE,
  maxPendingCalls: CHECKED_ELSEWHERE,
  maxStreams: CHECKED_ELSEWHERE,
  maxAttributeBytes: CHECKED_ELSEWHERE,
  relayTtl: CHECKED_ELSEWHERE,
  treeRefreshInterval: CHECKED_ELSEWHERE,
  joinTimeout: CHECKED_ELSEWHERE,
  store: CHECKED_ELSEWHERE,
  discovery: CHECKED_ELSEWHERE,
  evict: OBJECT,
  appVersion: CHECKED_ELSEWHERE,
  log: CHECKED_ELSEWHERE,
  runtime: OBJECT,
};

const CHANNEL_KINDS: OptionKinds<ChannelOptions> = {
  parallelism: CHECKED_ELSEWHERE,
  monotonic: CHECKED_ELSEWHERE,
  compression: CHECKED_ELSEWHERE,
  maxQueuedBytes: CHECKED_ELSEWHERE,
};

const EVICT_KINDS: OptionKinds<EvictOptions> = { after: CHECKED_ELSEWHERE, quorum: CHECKED_ELSEWHERE };

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError | RangeError} When one of them cannot be used.
 */
export function settingsFrom(options: PeerServiceOptions, runtime: Runtime, tls?: NodeTls): Settings {
  checkOptions("Cannot start", options, KINDS);
  const { name, cluster = "default", secret = [], metadata = {}, codec } = options;
  const preset = own<Preset>(PRESETS, options.preset ?? "lan");
  if (preset === undefined) {
    throw new RangeError(
      `Cannot start: preset is "${options.preset}", expected one of ${Object.keys(PRESETS).join(", ")}`,
    );
  }
  checkOwnName(name);
  if (typeof cluster !== "string" || cluster.length > 255) {
    throw new TypeError(`Cannot start: "cluster" is ${shown(cluster)}, expected a string`);
  }
  const heartbeat = merge("heartbeat", preset.heartbeat, options.heartbeat);
  const gossip = merge("gossip", preset.gossip, options.gossip);
  checkNumber("heartbeat.interval", heartbeat.interval, 1, 3_600_000);
  checkNumber("heartbeat.missed", heartbeat.missed, 2, 1_000, true);
  checkNumber("gossip.interval", gossip.interval, 1, 3_600_000);
  checkNumber("gossip.fanout", gossip.fanout, 1, 100, true);
  const strategy = options.strategy ?? fullMesh({ fanout: gossip.fanout });
  const listen = addresses(options.listen ?? "127.0.0.1:0");
  const advertise = options.advertise === undefined ? undefined : addresses(options.advertise);
  for (const address of advertise ?? []) checkDialable("start", "advertise", address);
  if (advertise === undefined) { for (const address of listen) checkReachable(address); }
  const channels = withDefaults(options.channels ?? {});
  return {
    ...preset,
    heartbeat,
    gossip,
    name,
    listen,
    advertise,
    channels: mapValues(channels, channelSpec),
    maxQueuedBytes: mapValues(
      channels,
      (channel, id) =>
        checkNumber(
          `channels.${id}.maxQueuedBytes`,
          channel.maxQueuedBytes ?? DEFAULT_QUEUED_BYTES,
          64 * 1024,
          2 ** 31,
          true,
        ),
    ),
    strategy,
    cluster,
    secrets: new Secrets("start", secret),
    tls,
    admit: checkAdmit(options.admit),
    metadata,
    allow: allowancesFrom(options.allow, options.preset === "local" || options.runtime !== undefined),
    codec,
    maxFrameBytes: checkNumber("maxFrameBytes", options.maxFrameBytes ?? DEFAULT_FRAME_BYTES, 1024, 2 ** 30, true),
    causalLabels: options.causalLabels,
    maxInflight: checkNumber("maxInflight", options.maxInflight ?? 10_000, 1, 10_000_000, true),
    maxPendingCalls: checkNumber("maxPendingCalls", options.maxPendingCalls ?? 10_000, 1, 10_000_000, true),
    maxAttributeBytes: checkNumber("maxAttributeBytes", options.maxAttributeBytes ?? 65_536, 1_024, 4_194_304, true),
    maxStreams: checkNumber("maxStreams", options.maxStreams ?? 1_000, 1, 1_000_000, true),
    relayTtl: checkNumber("relayTtl", options.relayTtl ?? relayTtlOf(strategy), 1, 255, true),
    treeRefreshInterval: checkNumber("treeRefreshInterval", options.treeRefreshInterval ?? 10_000, 10, 3_600_000),
    joinTimeout: checkNumber("joinTimeout", options.joinTimeout ?? 10_000, 1, 3_600_000),
    store: checkStore(options.store),
    discovery: checkDiscovery(options.discovery),
    appVersion: checkAppVersion(options.appVersion),
    evict: checkEvict(options.evict),
    log: checkLog(options.log),
    runtime,
    isEmbedded: options.runtime !== undefined,
  };
}

/** In a full mesh a node that cannot be reached directly is behind another one; in a partial view it may be far away. */
function relayTtlOf({ isFullMesh = false }: Strategy): number {
  return isFullMesh ? FULL_MESH_RELAY_TTL : PARTIAL_VIEW_RELAY_TTL;
}

function checkAdmit(admit: Admit | undefined): Admit | undefined {
  if (admit === undefined || typeof admit === "function") return admit;
  throw new TypeError(`Cannot start: "admit" is a ${typeof admit}, expected a function`);
}

function checkLog(log: PeerServiceOptions["log"]): Log | false | undefined {
  if (log === undefined || log === false || typeof log === "function") return log;
  throw new TypeError(`Cannot start: "log" is a ${typeof log}, expected false or a function`);
}

function checkOwnName(name: string | undefined): void {
  if (name === undefined) return;
  const fits = typeof name === "string" && name !== "" && name.length <= NODE_SPEC_LIMITS.nameLength;
  if (!fits) throw new TypeError(`Cannot start: "name" is "${String(name)}", expected 1 to 255 characters`);
  if (!isPrintable(name)) {
    throw new TypeError(`Cannot start: "name" is ${JSON.stringify(name)}, which cannot be printed`);
  }
}

function withDefaults(channels: Readonly<Record<string, ChannelOptions>>): Record<string, ChannelOptions> {
  const all = { [DEFAULT_CHANNEL]: {}, [MEMBERSHIP_CHANNEL]: {}, ...channels };
  if ((channels[MEMBERSHIP_CHANNEL]?.parallelism ?? 1) !== 1) {
    throw new RangeError(
      `Cannot start: "channels.${MEMBERSHIP_CHANNEL}.parallelism" must be 1, because control messages are in order`,
    );
  }
  return all;
}

function channelSpec(channel: ChannelOptions, id: string): ChannelSpec {
  const { parallelism = 1, monotonic = false, compression = false } = checkOptions(
    `Cannot start: "channels.${id}"`,
    channel,
    CHANNEL_KINDS,
  );
  checkNumber(`channels.${id}.parallelism`, parallelism, 1, 64, true);
  return { parallelism, monotonic, compression };
}

function addresses(input: NonNullable<PeerServiceOptions["listen"]>): Address[] {
  const list = Array.isArray(input) ? input : [input];
  return list.map((address) => parseAddress(address));
}

function checkReachable({ hostname }: Address): void {
  if (!isWildcard(hostname)) return;
  throw new TypeError(
    `Cannot start: "listen" is "${hostname}", which others cannot dial; say in "advertise" how they reach this node`,
  );
}

function checkStore(store: SnapshotStore | undefined): SnapshotStore | undefined {
  if (store === undefined || (typeof store?.load === "function" && typeof store.save === "function")) return store;
  throw new TypeError(`Cannot start: "store" has no load() and save(); fileStore(path) makes one that has`);
}

function checkDiscovery(given: PeerServiceOptions["discovery"]): readonly Discovery[] {
  const sources = given === undefined ? [] : Array.isArray(given) ? [...given] : [given as Discovery];
  for (const source of sources) {
    if (typeof source?.lookup !== "function" || typeof source.name !== "string") {
      throw new TypeError(
        'Cannot start: "discovery" has no name and lookup(); "@partisan/peer-service/discovery" has functions that make one',
      );
    }
  }
  return sources;
}

function checkEvict(evict: PeerServiceOptions["evict"]): EvictOptions | undefined {
  if (evict === undefined) return undefined;
  checkOptions('Cannot start: "evict"', evict, EVICT_KINDS);
  checkNumber("evict.after", evict.after, 1_000, Number.MAX_SAFE_INTEGER);
  if (evict.quorum !== undefined) checkNumber("evict.quorum", evict.quorum, 0, Number.MAX_SAFE_INTEGER, true);
  return evict;
}

function checkAppVersion(version: string | undefined): string | undefined {
  if (version === undefined || (typeof version === "string" && version.length <= 255)) return version;
  throw new TypeError(`Cannot start: "appVersion" is ${version}, expected a string of at most 255 characters`);
}

function checkNumber(what: string, value: number, least: number, most: number, whole = false): number {
  if (typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new RangeError(
    `Cannot start: "${what}" is ${shown(value)}, expected ${
      whole ? "a whole number" : "a number"
    } from ${least} to ${most}`,
  );
}

function merge<T extends Record<string, number>>(
  what: string,
  defaults: T,
  options: { readonly [K in keyof T]?: T[K] | undefined } | undefined,
): T {
  const kinds = mapValues(defaults, () => CHECKED_ELSEWHERE) as OptionKinds<Partial<T>>;
  const given = checkOptions<Partial<T>>(`Cannot start: "${what}"`, options as Partial<T> | undefined, kinds);
  const merged = { ...defaults };
  for (const key of Object.keys(defaults) as (keyof T)[]) if (given[key] !== undefined) merged[key] = given[key]!;
  return merged;
}
