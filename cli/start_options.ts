// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { OptionSpec } from "./option_table.ts";
import { strategies } from "./strategies.ts";

/** The options of `start`. Each can come from the environment and from the file of `--config` as well. */
export const startOptions: readonly OptionSpec[] = [
  { name: "config", value: "FILE", help: "a JSON file with options", isPath: true },
  { name: "name", value: "NAME", help: "name of the node (default: a random one)" },
  { name: "listen", value: "HOST:PORT", help: "where to listen; port 0: any (default 127.0.0.1:0)", repeat: true },
  { name: "advertise", value: "HOST:PORT", help: "where others reach it, if that differs", repeat: true },
  { name: "join", value: "HOST:PORT", help: "a node of the cluster; tried until it answers", repeat: true },
  {
    name: "discovery",
    value: "SOURCE",
    help: "dns:NAME:PORT, file:PATH, list:A,B, kubernetes:SERVICE[:PORT]",
    repeat: true,
  },
  { name: "cluster", value: "NAME", help: "name of the cluster (default: default)" },
  { name: "secret-file", value: "FILE", help: "secrets, one a line, the preferred one first", isPath: true },
  { name: "tls-cert", value: "FILE", help: "certificate of the node, in PEM", isPath: true },
  { name: "tls-key", value: "FILE", help: "its private key", isPath: true },
  { name: "tls-ca", value: "FILE", help: "certificates of the authorities", isPath: true },
  { name: "store", value: "FILE", help: "keeps what the node knows of its cluster over restarts", isPath: true },
  { name: "strategy", value: "NAME", help: "the overlay (default fullMesh)", choices: Object.keys(strategies) },
  { name: "preset", value: "NAME", help: "intervals (default lan)", choices: ["local", "lan", "wan"] },
  { name: "app-version", value: "TEXT", help: "version of the application, told to others" },
  {
    name: "admin",
    value: "WHERE",
    help: "admin endpoint: PATH, HOST:PORT, or none (default: a socket in XDG_RUNTIME_DIR)",
    isPath: true,
  },
  { name: "token-file", value: "FILE", help: "token of the admin endpoint on HOST:PORT, and of --http", isPath: true },
  { name: "http", value: "HOST:PORT", help: "serve /ready, /alive, /metrics, /members and the page" },
  {
    name: "http-host",
    value: "NAME",
    help: "a name by which --http is reached, besides localhost and addresses",
    repeat: true,
  },
  {
    name: "drain-timeout",
    value: "MS",
    help: "how long to finish work when it ends (default 30000)",
    range: [1, 3_600_000],
  },
];
