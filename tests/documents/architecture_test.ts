// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { importsOf } from "../import_graph.ts";
import { FOLDERS } from "../tidy.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGE = await Deno.readTextFile(new URL("ARCHITECTURE.md", ROOT));
const { name: PACKAGE, exports: EXPORTS } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));

const HOPS_MAX = 10;

/** A way through the code: hops that are joined by imports, in stretches between which the wire lies. */
interface Way {
  readonly title: string;
  readonly stretches: readonly (readonly string[])[];
  /** Files that a hop names in its description, next to the one that it is. */
  readonly mentioned: readonly string[];
}

function waysOf(page: string): Way[] {
  const sections = page.matchAll(/^### (The way of [^\n]+)\n\n```text\n(.*?)^```$/gms);
  return Array.from(sections, ([, title = "", text = ""]) => {
    const stretches: string[][] = [[]];
    const mentioned: string[] = [];
    for (const line of text.trim().split("\n")) {
      if (line.startsWith("- -")) {
        stretches.push([]);
        continue;
      }
      const [hop = "", ...words] = line.split(/\s+/);
      stretches.at(-1)?.push(hop);
      const folder = hop.slice(0, hop.lastIndexOf("/") + 1);
      for (const [file] of words.join(" ").matchAll(/\b[a-z_/]+\.ts\b/g)) {
        mentioned.push(file.includes("/") ? file : folder + file);
      }
    }
    return { title, stretches, mentioned };
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)).isFile;
  } catch {
    return false;
  }
}

/** Imports of a module: paths from the root, those that it names as users do included. */
function imported(path: string): string[] {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  const byName = Array.from(text.matchAll(/from "([^".][^"]*)"/g), ([, specifier = ""]) => specifier)
    .filter((specifier) => specifier.startsWith(PACKAGE))
    .map((specifier) => EXPORTS[specifier.replace(PACKAGE, ".")].replace("./", ""));
  return [...importsOf(path, text), ...byName];
}

function areJoined(one: string, other: string): boolean {
  return imported(one).includes(other) || imported(other).includes(one);
}

/** Neighbours on a way of which neither imports the other. */
function gapsOf({ stretches }: Way): string[] {
  return stretches.flatMap((hops) =>
    hops.slice(1).flatMap((hop, index) => {
      const before = hops[index] ?? "";
      return areJoined(before, hop) ? [] : [`${before} and ${hop}`];
    })
  );
}

Deno.test("ARCHITECTURE.md shows the ways of a message, a chunk, a join, a death and a new strategy", () => {
  const titles = waysOf(PAGE).map(({ title }) => title.replace(/^The way of an? /, ""));
  assertEquals(titles, ["message", "chunk", "join", "death", "new strategy"]);
});

for (const way of waysOf(PAGE)) {
  Deno.test(`${way.title.replace("The", "the")} has at most ten hops, whose files exist, and neighbours import each other`, () => {
    const hops = way.stretches.flat();
    assert(hops.length > 1 && hops.length <= HOPS_MAX, `${hops.length} hops`);
    assertEquals([...hops, ...way.mentioned].filter((path) => !isFile(path)), []);
    assertEquals(gapsOf(way), []);
  });
}

Deno.test("a way with a gap is found out", () => {
  const text =
    "### The way of a gap\n\n```text\nmanager/sending.ts  first (node.ts)\nwire/hash.ts  no\n- -  wire\nmod.ts x\n```\n";
  const [way] = waysOf(text);
  assert(way !== undefined);
  assertEquals(way.stretches, [["manager/sending.ts", "wire/hash.ts"], ["mod.ts"]]);
  assertEquals(way.mentioned, ["manager/node.ts"]);
  assertEquals(gapsOf(way), ["manager/sending.ts and wire/hash.ts"]);
});

Deno.test("every file and folder that ARCHITECTURE.md names exists", () => {
  const inBackticks = Array.from(
    PAGE.matchAll(/`([a-z_]+(?:\/[a-z_]+)*(?:\/|\.(?:ts|md)))`/g),
    ([, path = ""]) => path,
  );
  assert(inBackticks.length > 20);
  const exists = (path: string) => path.endsWith("/") ? Deno.statSync(new URL(path, ROOT)).isDirectory : isFile(path);
  const isElsewhere = (path: string) => ["tcp/", "tls/", "unix/", "memory/"].includes(path) || !path.includes("/");
  assertEquals(inBackticks.filter((path) => !isElsewhere(path) && !exists(path)), []);
});

Deno.test("every folder of the code has a row in the table of rooms, or is named below it", () => {
  const rooms = PAGE.slice(0, PAGE.indexOf("## Five ways"));
  const hidden = new Set([".ci", "docs"]);
  assertEquals(FOLDERS.filter((folder) => !hidden.has(folder) && !rooms.includes(`\`${folder}/\``)), []);
});
