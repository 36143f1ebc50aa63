// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { linkTargets, tableBelow } from "./partisan_table.ts";

const DOCUMENT = new URL("../../docs/security.md", import.meta.url);
const markdown = await Deno.readTextFile(DOCUMENT);
const ROWS = tableBelow("Eleven attacks", markdown);

/** The tests that a cell names, each with the label of its file. */
function proofsOf(cell: string): [test: string, label: string][] {
  return Array.from(cell.matchAll(/\[(.+?)\]\[(\w+)\]/g), ([, test = "", label = ""]) => [test, label]);
}

/** The names of the tests of a file, each as it is written there: a part of it may be filled in. */
async function testsOf(file: URL): Promise<string[]> {
  const text = await Deno.readTextFile(file);
  const calls = text.matchAll(/(?:Deno\.test|[sS]cenario)\(\s*(?:\{\s*name: )?(?:"([^"\n]+)"|`([^`\n]+)`)/g);
  return Array.from(calls, ([, plain, filled]) => plain ?? filled ?? "");
}

Deno.test("the table of attacks has eleven rows, in order, each with what stops it", () => {
  assertEquals(ROWS.map(([attack = ""]) => parseInt(attack)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  for (const [attack, defence = ""] of ROWS) assert(defence !== "", `${attack}: nothing stops it`);
});

Deno.test("every test that the table of attacks names exists, and every row has one", async () => {
  const files = linkTargets(markdown);
  const named = new Set<string>();
  for (const [attack, , cell = ""] of ROWS) {
    const proofs = proofsOf(cell);
    assert(proofs.length > 0, `${attack}: no test is named`);
    for (const [test, label] of proofs) {
      const file = files.get(label);
      assert(file !== undefined, `${attack}: there is no link "${label}"`);
      const tests = await testsOf(new URL(file, DOCUMENT));
      assert(tests.some((name) => name.includes(test)), `${file} has no test "${test}"`);
      named.add(label);
    }
  }
  assertEquals([...files.keys()].filter((label) => !named.has(label)), []);
});

Deno.test("what an attacker can still do is said for each position and each kind of cluster", () => {
  const section = markdown.split(/^## /m).find((text) =>
    text.startsWith("What an attacker in each position can still do")
  );
  const positions = (section ?? "").split(/^### /m).slice(1);
  assertEquals(positions.map((text) => text.split("\n")[0]), [
    "An outsider",
    "An attacker on the way",
    "A stranger",
    "A member",
  ]);
  for (const text of positions.slice(0, 3)) {
    for (const kind of ["**Open cluster**", "**With a `secret`**", "`tls`"]) {
      assert(text.includes(kind), `${text.split("\n")[0]}: ${kind} is missing`);
    }
  }
});
