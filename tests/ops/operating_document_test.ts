// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { INSTRUMENTS } from "../../ops/metrics/catalogue.ts";
import { tableBelow } from "../documents/partisan_table.ts";
import { nthOf } from "../values.ts";

const read = (path: string) => Deno.readTextFile(new URL(path, import.meta.url));
const text = await read("../../docs/operating.md");
const tests = await Promise.all(["health_test.ts", "troubles_test.ts"].map((file) => read(`./${file}`)));

Deno.test("docs/operating.md names twenty troubles, and for each the test that provokes it", () => {
  const rows = tableBelow("Troubles", text);
  assertEquals(rows.length, 20);
  for (const [seen = "", meaning = "", remedy = "", test = ""] of rows) {
    assert(seen !== "" && meaning !== "" && remedy !== "", test);
    assert(tests.some((source) => source.includes(`"${test}"`)), `There is no test "${test}"`);
  }
  const provoked = [...nthOf(tests, 1).matchAll(/^scenario\("(trouble: .+?)"/gm)].map(([, name]) => name);
  const named = rows.map(([, , , test]) => test);
  for (const name of provoked) assert(named.includes(name), `"${name}" is in no row`);
});

Deno.test("docs/operating.md names no metric that is not emitted", () => {
  const names = new Set(
    INSTRUMENTS.flatMap(({ name, type }) => type === "histogram" ? [name, `${name}_count`] : [name]),
  );
  const named = Array.from(text.matchAll(/`(partisan_[a-z_]+)/g), (match) => nthOf(match, 1));
  assert(named.length > 10, `${named.length} were found`);
  for (const name of named) assert(names.has(name), name);
});

/** The source files of a room, those in its folders included. */
async function* sourcesOf(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, import.meta.url))) {
    if (isDirectory) yield* sourcesOf(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

Deno.test("docs/operating.md names the code of every warning that there is", async () => {
  const codes = new Set<string>();
  for (
    const room of ["manager", "connections", "messaging", "gossip", "membership", "groups", "placement", "discovery"]
  ) {
    for await (const path of sourcesOf(`../../${room}/`)) {
      const source = await read(path);
      for (const match of source.matchAll(/(?:emit\(\s*"warning",\s*\{\s*code: |#warn\(\s*\w+,\s*)"([a-z-]+)"/g)) {
        codes.add(nthOf(match, 1));
      }
    }
  }
  const section = text.slice(text.indexOf("### Warnings"), text.indexOf("## Troubles"));
  const listed = [...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code);
  assertEquals(listed.sort(), [...codes].sort());
});

Deno.test("docs/operating.md tells of every path that is served for health", () => {
  for (const path of ["/startup", "/ready", "/alive"]) assertStringIncludes(text, `\`${path}\``);
});
