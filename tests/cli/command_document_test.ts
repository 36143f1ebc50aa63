// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { parseArguments } from "../../cli/arguments.ts";
import { commands } from "../../cli/commands.ts";
import { EXIT_CODES } from "../../cli/help_text.ts";
import { startOptions } from "../../cli/start_options.ts";
import { camelCase, STRUCTURES, variableOf } from "../../cli/start_settings.ts";
import { firstOf, nthOf } from "../values.ts";
import { wordsOf } from "./fixtures.ts";

const text = await Deno.readTextFile(new URL("../../docs/command.md", import.meta.url));
const shown = commands.filter(({ hidden }) => hidden !== true);

/** The cells of the rows of the table below a heading. */
function tableBelow(heading: string): string[][] {
  const [, section = ""] = text.split(`\n## ${heading}\n`);
  const rows = firstOf(section.split("\n## ")).split("\n").filter((line) => line.startsWith("|")).slice(2);
  return rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("docs/command.md tells of every command and of no other, with an example that can be parsed", () => {
  const rows = tableBelow("Commands");
  assertEquals(rows.map(([name]) => name), shown.map(({ name }) => `\`${name}\``));
  for (const [name, , example = ""] of rows) {
    const { command } = parseArguments(wordsOf(example.slice(1, -1)));
    assertEquals(`\`${command?.name}\``, name);
  }
});

Deno.test("docs/command.md names the permissions of every command", () => {
  const known = tableBelow("Permissions").map(([name]) => name);
  const commands = tableBelow("Commands");
  assert(commands.length > 10, `${commands.length} were found`);
  for (const [name, , , permissions = ""] of commands) assert(known.includes(permissions), name);
});

Deno.test("docs/command.md tells of every option of start, with its variable, its name in the file, and its choices", () => {
  const rows = tableBelow("Options of start");
  assertEquals(
    rows.map(([option, variable, inFile]) => [option, variable, inFile]),
    startOptions.map(({ name, value }) => [
      `\`--${name} ${value}\``,
      `\`${variableOf(name)}\``,
      name === "config" ? "" : `\`${camelCase(name)}\``,
    ]),
  );
  for (const [index, { choices = [] }] of startOptions.entries()) {
    for (const choice of choices) assert(nthOf(nthOf(rows, index), 3).includes(choice), `${choice} in ${rows[index]}`);
  }
  const structures = firstOf(nthOf(text.split("\n## Options of start\n"), 1).split("\n|"));
  for (const name of STRUCTURES) assert(structures.includes(`\`${name}\``), name);
});

Deno.test("docs/command.md tells of every exit code", () => {
  const codes = tableBelow("Exit codes").map(([code]) => Number(code));
  assertEquals(codes, Object.values(EXIT_CODES));
});

Deno.test("every example of the help can be parsed", () => {
  for (const { name, examples } of shown) {
    assert(examples.length > 0, name);
    for (const example of examples) assertEquals(parseArguments(wordsOf(example)).command?.name, name);
  }
});
