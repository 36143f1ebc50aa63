// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { defaultOptions, helpText, parseArguments } from "../../cli/arguments.ts";
import { UsageError } from "../../cli/usage_error.ts";

Deno.test("parseArguments() takes the defaults when nothing is said", () => {
  assertEquals(parseArguments(["cluster"]), { command: "cluster", options: defaultOptions });
});

Deno.test("parseArguments() takes values as the next word and after an equals sign", () => {
  const options = { ...defaultOptions, nodes: 7, seconds: 20, seed: 3 };
  assertEquals(parseArguments(["cluster", "--nodes", "7", "--seconds=20", "--seed", "3"]), {
    command: "cluster",
    options,
  });
});

Deno.test("parseArguments() takes every option of the help", () => {
  const words = "--nodes 2 --seconds 8 --seed 0 --strategy fullMesh --preset lan --heartbeat-interval 50 --no-color";
  assertEquals(parseArguments(["cluster", ...words.split(" ")]), {
    command: "cluster",
    options: {
      nodes: 2,
      seconds: 8,
      seed: 0,
      strategy: "fullMesh",
      preset: "lan",
      heartbeatInterval: 50,
      color: false,
    },
  });
  for (const word of words.split(" ").filter((word) => word.startsWith("--"))) assertStringIncludes(helpText, word);
});

Deno.test("parseArguments() understands a request for help anywhere", () => {
  for (const args of [["help"], ["--help"], ["cluster", "--help"], ["cluster", "--nodes", "3", "-h"]]) {
    assertEquals(parseArguments(args), { command: "help" });
  }
});

Deno.test("parseArguments() understands what the supervisor starts", () => {
  assertEquals(parseArguments(["node", "a"]), { command: "node", name: "a" });
});

Deno.test("parseArguments() says what is wrong", () => {
  const cases: [string[], string][] = [
    [[], "A command is missing: expected cluster"],
    [["clutser"], 'Unknown command "clutser": expected cluster'],
    [["node"], "The command node takes one name"],
    [["cluster", "--node", "3"], 'Unknown option "--node"'],
    [["cluster", "5"], 'Unknown option "5"'],
    [["cluster", "--nodes"], 'Option "--nodes" needs a value'],
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

Deno.test("the help is no wider than 120 columns and no longer than a small terminal", () => {
  const lines = helpText.split("\n");
  assertEquals(lines.filter((line) => line.length > 120), []);
  assertEquals(lines.length <= 24, true);
});
