// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { clausesIn, discouragedIn } from "../vocabulary.ts";

const ROOT = new URL("../../", import.meta.url);
const NOT_OURS = new Set([".git", "coverage", "dist", "node_modules"]);
/** This file: its examples of phrases and comments are not to be found. */
const EXAMPLES = "tests/documents/prose_test.ts";

function* written(folder = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (NOT_OURS.has(folder + name)) continue;
    if (isDirectory) yield* written(`${folder}${name}/`);
    else if (/\.(md|ts)$/.test(name) && folder + name !== EXAMPLES) yield folder + name;
  }
}

Deno.test("documents, comments, messages and titles of tests do without the phrases that are hard for many readers", () => {
  const paths = [...written()];
  assert(paths.length > 1_000);
  assertEquals(paths.flatMap((path) => discouragedIn(path, Deno.readTextFileSync(new URL(path, ROOT)))), []);
});

Deno.test("doc comments, those of tests and benchmarks included, begin with the noun or the verb that they are about", () => {
  const paths = [...written()].filter((path) => path.endsWith(".ts"));
  assert(paths.length > 900);
  assertEquals(paths.flatMap((path) => clausesIn(path, Deno.readTextFileSync(new URL(path, ROOT)))), []);
});

Deno.test("clausesIn() finds doc comments that begin with a clause, and no others", () => {
  const code = [
    "/** What it needs. */",
    "/**",
    " * How many there are.",
    " */",
    "/** Number of those for which there is room: what is more waits. */",
    "/** Whether it is so. */",
    "// What is behind two slashes is no doc comment.",
    "/** Tells it. @param a Its name. @returns Why it is so. */",
    "/** When? */",
  ];
  const lines = clausesIn("wire/a.ts", code.join("\n")).map((text) => text.split(": begin")[0]);
  assertEquals(lines, [
    'wire/a.ts:1: "What it needs."',
    'wire/a.ts:2: "How many there are."',
    'wire/a.ts:8: "Why it is so."',
    'wire/a.ts:9: "When?"',
  ]);
});

Deno.test("discouragedIn() finds phrases in documents, comments and messages, and leaves code and names alone", () => {
  const [found] = discouragedIn("docs/a.md", "# A\n\nAsk whoever knows.");
  assertStringIncludes(found ?? "", 'docs/a.md:3: "whoever": write a noun');
  const document = 'It is `nobody`, "nobody" and [Somebody asks][test].\n\n```ts\n// for ever\n```\n';
  assertEquals(discouragedIn("docs/a.md", document), []);
  const code = [
    "/** Lets nobody in. */",
    "/**",
    " * Goes on for ever.",
    " * ```ts",
    ' * join("nobody, he says");',
    " * ```",
    " */",
    'const beside = name("nobody"); // beside',
    'throw new Error(`Cannot join "${him}": somebody is there`);',
    'assertEquals(message, `Cannot send to "nobody": ${why}`);',
  ];
  const lines = discouragedIn("wire/a.ts", code.join("\n")).map((text) => text.split(": write")[0]);
  assertEquals(lines, [
    'wire/a.ts:1: "nobody"',
    'wire/a.ts:3: "for ever"',
    'wire/a.ts:8: "beside"',
    'wire/a.ts:9: "somebody"',
  ]);
});
