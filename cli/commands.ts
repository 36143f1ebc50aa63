// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CommandSpec, OptionSpec } from "./option_table.ts";
import { startOptions } from "./start_options.ts";
import { strategies } from "./strategies.ts";

/** Less time than this does not suffice to kill, restart and remove a node and to watch what comes of it. */
const SECONDS_MIN = 8;
const HOUR_MS = 3_600_000;

/** The option of every command. */
export const help: OptionSpec = { name: "help", letter: "h", help: "this text" };
const json: OptionSpec = { name: "json", help: "print JSON, one value a line, for programs" };
const admin: OptionSpec = {
  name: "admin",
  value: "WHERE",
  help: "the node's admin endpoint: PATH or HOST:PORT (default: the one socket of this user; PARTISAN_ADMIN)",
  isPath: true,
};
const tokenFile: OptionSpec = {
  name: "token-file",
  value: "FILE",
  help: "holds the token of the endpoint; needed with HOST:PORT (PARTISAN_TOKEN_FILE)",
  isPath: true,
};
const timeout: OptionSpec = {
  name: "timeout",
  value: "MS",
  help: "milliseconds after which to give up",
  range: [1, HOUR_MS],
};
const channel: OptionSpec = { name: "channel", value: "NAME", help: "the channel that carries it (default: default)" };
const attached = [admin, tokenFile, json, help];
const messageDetails = "JSON is the message; - reads it from standard input.";

const cluster: CommandSpec = {
  name: "cluster",
  summary: "a cluster of real processes on this machine, live in the terminal",
  options: [
    { name: "nodes", value: "N", help: "nodes to begin with (default 5)", range: [2, 100] },
    {
      name: "seconds",
      value: "S",
      help: "run unattended: kill, restart, pause, resume, leave; exit with 0 only if all views agreed each time",
      range: [SECONDS_MIN, 86_400],
    },
    { name: "seed", value: "N", help: "chooses the victims and the messages (default 1)", range: [0, 2 ** 32 - 1] },
    {
      name: "strategy",
      value: "NAME",
      help: "the overlay (default fullMesh)",
      choices: Object.keys(strategies),
    },
    { name: "preset", value: "NAME", help: "intervals (default local)", choices: ["local", "lan", "wan"] },
    {
      name: "heartbeat-interval",
      value: "MS",
      help: "milliseconds between heartbeats, in place of the preset's",
      range: [10, 60_000],
    },
    {
      name: "page",
      value: "PORT",
      isValueOptional: true,
      help: "serve a page on loopback that shows the cluster, with buttons (default: any free port)",
      range: [0, 65_535],
    },
    { name: "no-color", help: "no colours (as with NO_COLOR in the environment)" },
    help,
  ],
  details: "Without --seconds the terminal shows every node's view of the cluster; the key ? explains the others.\n" +
    "When standard input is no terminal, it is read as commands, one a line: help lists them.",
  examples: ["cluster", "cluster --nodes 4 --seconds 8", "cluster --page=8080"],
};

const days: OptionSpec = { name: "days", value: "N", help: "for how long it holds", range: [1, 36_500] };
const out: OptionSpec = { name: "out", value: "DIR", help: "where to write; nothing is overwritten", isPath: true };

/** Every command, in the order in which the help lists them. */
export const commands: readonly CommandSpec[] = [
  {
    name: "start",
    summary: "start a node, and keep it until it is told to end",
    options: [...startOptions, json, help],
    details:
      "Each option can come from the environment as well (PARTISAN_SECRET_FILE for --secret-file), or from --config:\n" +
      "a JSON object with the names in camel case, and channels, metadata, heartbeat, gossip, evict and allow as in\n" +
      "startPeerService(). The command line goes before the environment, and that before the file.\n" +
      "SIGTERM and SIGINT drain the node; a second one stops it at once. SIGHUP reads secrets and certificates anew.",
    examples: ["start --name a --listen 127.0.0.1:0", "start --name b --join 127.0.0.1:9090 --secret-file secret"],
  },
  {
    name: "members",
    summary: "who is in the cluster, and whether it can be reached",
    options: [
      { name: "status", value: "STATUS", help: "only these", choices: ["up", "suspect", "down"] },
      ...attached,
    ],
    examples: ["members", "members --status down --json"],
  },
  {
    name: "info",
    summary: "all that is known of a member: status and why, addresses, attributes, connections",
    words: ["NODE?"],
    options: attached,
    examples: ["info b"],
  },
  {
    name: "watch",
    summary: "events of the node as they happen, until Ctrl-C",
    options: [
      { name: "count", value: "N", help: "end after so many events", range: [1, 1_000_000] },
      ...attached,
    ],
    examples: ["watch", "watch --json --count 1"],
  },
  { name: "stats", summary: "counters since the start, and the present state", options: attached, examples: ["stats"] },
  {
    name: "ping",
    summary: "the round trip to a member",
    words: ["NODE"],
    options: [
      { name: "count", value: "N", help: "how many (default 1)", range: [1, 1_000] },
      timeout,
      ...attached,
    ],
    examples: ["ping b --count 3"],
  },
  {
    name: "call",
    summary: "call a handler on a node, and print its reply as JSON",
    words: ["NODE", "NAME", "JSON"],
    options: [channel, timeout, ...attached],
    details: messageDetails,
    examples: [`call b adder '{"x":1,"y":2}'`],
  },
  {
    name: "cast",
    summary: "send a message to a handler on a node, without a reply",
    words: ["NODE", "NAME", "JSON"],
    options: [{ name: "ack", help: "wait until the handler is done" }, channel, timeout, ...attached],
    details: messageDetails,
    examples: [`cast b log '"hello"' --ack`],
  },
  {
    name: "publish",
    summary: "send a message to a handler on every node, or to the members of a group",
    words: ["NAME", "JSON"],
    options: [
      { name: "group", help: "NAME is a group" },
      { name: "scope", value: "SCOPE", help: "the scope of the group (default: default)" },
      ...attached,
    ],
    details: messageDetails,
    examples: [`publish log '"hello, all"'`],
  },
  {
    name: "join",
    summary: "have the node join the cluster of another one",
    words: ["HOST:PORT"],
    options: [timeout, ...attached],
    examples: ["join 127.0.0.1:9090"],
  },
  {
    name: "leave",
    summary: "have the node leave its cluster; it goes on alone",
    options: attached,
    examples: ["leave"],
  },
  {
    name: "remove",
    summary: "remove a member from the cluster",
    words: ["NODE"],
    options: attached,
    examples: ["remove b"],
  },
  {
    name: "drain",
    summary: "have the node finish its work, leave and stop",
    options: [timeout, ...attached],
    examples: ["drain --timeout 10000"],
  },
  {
    name: "keys",
    summary: "on which secrets and certificates the connections stand",
    options: attached,
    examples: ["keys"],
  },
  {
    name: "keys reload",
    summary: "read secrets and certificates anew, and make the connections anew one by one",
    options: attached,
    examples: ["keys reload"],
  },
  {
    name: "top",
    summary: "members and traffic, live",
    options: [
      { name: "interval", value: "MS", help: "milliseconds between two looks (default 1000)", range: [100, HOUR_MS] },
      { name: "count", value: "N", help: "end after so many (default: 1 where there is no terminal)", range: [1, 1e6] },
      { name: "no-color", help: "no colours (as with NO_COLOR in the environment)" },
      ...attached,
    ],
    details: "In a terminal it is redrawn until q is pressed.",
    examples: ["top", "top --json --count 2"],
  },
  cluster,
  {
    name: "tls ca",
    summary: "make an authority: ca.crt, for every node, and ca.key, with which certificates are issued",
    options: [out, days, json, help],
    examples: ["tls ca --out ca"],
  },
  {
    name: "tls cert",
    summary: "make a certificate of it for a node: NAME.crt and NAME.key, besides a copy of ca.crt",
    options: [
      { name: "name", value: "NAME", help: "name of the node; further names and URIs may follow", repeat: true },
      { name: "ca", value: "DIR", help: "where ca.crt and ca.key are", isPath: true },
      out,
      days,
      json,
      help,
    ],
    examples: ["tls cert --name b --ca ca --out b"],
  },
  {
    name: "completions",
    summary: "print a script that completes commands and options in a shell",
    words: ["SHELL"],
    options: [help],
    details: "SHELL is bash, zsh or fish: source <(partisan completions bash), or partisan completions fish | source.",
    examples: ["completions bash"],
  },
  { name: "node", summary: "a node of cluster", words: ["NAME"], options: [], examples: [], hidden: true },
];
