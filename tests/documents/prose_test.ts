// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { discouragedIn } from "../vocabulary.ts";

const ROOT = new URL("../../", import.meta.url);
const NOT_PUBLISHED = new Set([".git", "bench", "coverage", "dist", "node_modules", "tests"]);

function* published(folder = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (NOT_PUBLISHED.has(folder + name)) continue;
    if (isDirectory) yield* published(`${folder}${name}/`);
    else if (/\.(md|ts)$/.test(name)) yield folder + name;
  }
}

Deno.test("documents, comments and messages do without the phrases that are hard for many readers", () => {
  const paths = [...published()];
  assert(paths.length > 400);
  // The rows of its tables are called as the measurements print them.
  const prose = paths.filter((path) => path !== "docs/performance.md");
  assertEquals(prose.flatMap((path) => discouragedIn(path, Deno.readTextFileSync(new URL(path, ROOT)))), []);
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
  ];
  const lines = discouragedIn("wire/a.ts", code.join("\n")).map((text) => text.split(": write")[0]);
  assertEquals(lines, [
    'wire/a.ts:1: "nobody"',
    'wire/a.ts:3: "for ever"',
    'wire/a.ts:8: "beside"',
    'wire/a.ts:9: "somebody"',
  ]);
});
