// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseArguments } from "../../cli/arguments.ts";
import { type ClusterOptions, clusterOptions } from "../../cli/cluster_options.ts";
import { commands } from "../../cli/commands.ts";
import { commandHelp, generalHelp } from "../../cli/help_text.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { present } from "../values.ts";
import { wordsOf } from "./fixtures.ts";

const defaults: ClusterOptions = {
  nodes: 5,
  seconds: undefined,
  strategy: "fullMesh",
  preset: "local",
  heartbeatInterval: undefined,
  seed: 1,
  page: undefined,
  color: true,
};

function cluster(line: string): ClusterOptions {
  return clusterOptions(present(parseArguments(["cluster", ...line.split(" ").filter((word) => word !== "")]).options));
}

Deno.test("cluster takes the defaults when nothing is said", () => {
  assertEquals(cluster(""), defaults);
});

Deno.test("parseArguments() takes values as the next word and after an equals sign", () => {
  assertEquals(cluster("--nodes 7 --seconds=20 --seed 3"), { ...defaults, nodes: 7, seconds: 20, seed: 3 });
});

Deno.test("cluster takes every option of its help", () => {
  const line = "--nodes 2 --seconds 8 --seed 0 --strategy fullMesh --preset lan --heartbeat-interval 50 --no-color";
  assertEquals(cluster(line), {
    nodes: 2,
    seconds: 8,
    seed: 0,
    strategy: "fullMesh",
    preset: "lan",
    heartbeatInterval: 50,
    page: undefined,
    color: false,
  });
});

Deno.test("parseArguments() understands a request for help anywhere", () => {
  for (const args of [["help"], ["--help"], ["-h"]]) assertEquals(parseArguments(args).command, null);
  for (const args of [["cluster", "--help"], ["cluster", "--nodes", "3", "-h"], ["tls", "ca", "--help"], ["tls"]]) {
    const { command, options } = parseArguments(args);
    assertEquals([command?.name.split(" ")[0], options], [args[0], null]);
  }
});

Deno.test("parseArguments() takes commands of two words, words, numbers below zero and all that follows two hyphens", () => {
  assertEquals(parseArguments(["keys", "reload"]).command?.name, "keys reload");
  assertEquals(parseArguments(["keys"]).command?.name, "keys");
  const { options } = parseArguments(["call", "b", "add", "-1", "--timeout", "5"]);
  assertEquals([options?.word("JSON"), options?.number("timeout")], ["-1", 5]);
  assertEquals(parseArguments(["call", "--", "b", "--help", "1"]).options?.word("NAME"), "--help");
  assertEquals(parseArguments(["start", "--join", "a:1", "--join=b:2"]).options?.list("join"), ["a:1", "b:2"]);
});

Deno.test("parseArguments() says what is wrong", () => {
  const cases: [string[], string][] = [
    [[], "A command is missing: expected start"],
    [["clutser"], 'Unknown command "clutser": expected start'],
    [["tls", "x"], 'Unknown command "tls x": expected ca or cert'],
    [["node"], "The command node needs NAME"],
    [["call", "b"], "The command call needs NAME"],
    [["cluster", "--node", "3"], 'Unknown option "--node"'],
    [["cluster", "5"], '"5" is one word too many for cluster'],
    [["cluster", "--nodes"], 'Option "--nodes" needs a value'],
    [["members", "--json=1"], 'Option "--json" takes no value'],
    [["members", "--admin", "a", "--admin", "b"], 'Option "--admin" is given twice'],
    [["cluster", "--nodes", "1"], 'Option "--nodes" is "1": expected a whole number from 2 to 100'],
    [["cluster", "--nodes=3.5"], 'Option "--nodes" is "3.5": expected a whole number from 2 to 100'],
    [["cluster", "--nodes="], 'Option "--nodes" is "": expected a whole number from 2 to 100'],
    [["cluster", "--seconds", "7"], 'Option "--seconds" is "7": expected a whole number from 8 to 86400'],
    [["cluster", "--strategy", "toString"], 'Option "--strategy" is "toString": expected fullMesh'],
    [["cluster", "--preset", "moon"], 'Option "--preset" is "moon": expected local or lan or wan'],
  ];
  for (const [args, message] of cases) {
    assertStringIncludes(assertThrows(() => parseArguments(args), UsageError).message, message);
  }
});

Deno.test("every help is no wider than 120 columns, and every example in it is one that is understood", () => {
  const texts = [generalHelp(), ...commands.filter(({ hidden }) => hidden !== true).map(commandHelp)];
  assertEquals(texts.flatMap((text) => text.split("\n")).filter((line) => line.length > 120), []);
  for (const { name, examples, hidden } of commands) {
    assert(hidden === true || examples.length > 0, name);
    for (const example of examples) {
      assertEquals(parseArguments(wordsOf(example)).command?.name, name);
    }
  }
});

Deno.test("every command but those that draw or write scripts takes --json, and every one that attaches to a node takes --admin", () => {
  const without = (option: string) =>
    commands.filter(({ options }) => !options.some(({ name }) => name === option)).map(({ name }) => name);
  assertEquals(without("json"), ["cluster", "completions", "node"]);
  assertEquals(without("admin"), ["cluster", "tls ca", "tls cert", "completions", "node"]);
  assertEquals(without("token-file"), without("admin"));
});
