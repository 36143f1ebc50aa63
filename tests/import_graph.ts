// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Imports between modules, types included, and what is wrong with them.
 *
 * @module
 */

import { ROOMS } from "./tidy.ts";

/** The modules that each module imports, by path from the root of the repository. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The relative imports and re-exports of a module, resolved from its path. */
export function importsOf(path: string, text: string): string[] {
  const found = new Set<string>();
  const add = ({ source }: { readonly source: Deno.lint.StringLiteral | null }) => {
    if (source?.value.startsWith(".")) found.add(new URL(source.value, `file:///${path}`).pathname.slice(1));
  };
  const create = (): Deno.lint.LintVisitor => ({
    ImportDeclaration: add,
    ExportAllDeclaration: add,
    ExportNamedDeclaration: (node) => add({ source: node.source as Deno.lint.StringLiteral | null }),
  });
  Deno.lint.runPlugin({ name: "imports", rules: { imports: { create } } }, path, text);
  return [...found];
}

/** The imports that go upwards, or past a room that they must not know, as `from -> to`. */
export function forbiddenImports(graph: ImportGraph): string[] {
  const found: string[] = [];
  for (const [from, imports] of graph) {
    const room = roomOf(from);
    // A module of the root, such as `mod.ts`, may import everything.
    if (room === undefined) continue;
    const allowed = ROOMS[room] ?? [];
    for (const to of imports) {
      const other = roomOf(to);
      const mayBe = other === undefined ? room === "cli" : other === room || allowed.includes(other);
      if (!mayBe) found.push(`${from} -> ${to}`);
    }
  }
  return found.sort();
}

/** The groups of modules that import each other in a circle, each sorted. */
export function cycles(graph: ImportGraph): string[][] {
  const reachable = new Map([...graph.keys()].map((path) => [path, reachableFrom(path, graph)] as const));
  const found = new Map<string, string[]>();
  for (const [path, targets] of reachable) {
    if (!targets.has(path)) continue;
    const group = [...targets].filter((other) => reachable.get(other)?.has(path)).sort();
    found.set(group.join(), group);
  }
  return [...found.values()].sort();
}

function reachableFrom(path: string, graph: ImportGraph): Set<string> {
  const seen = new Set<string>();
  const waiting = [...graph.get(path) ?? []];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...graph.get(next) ?? []);
  }
  return seen;
}

function roomOf(path: string): string | undefined {
  return path.includes("/") ? path.split("/")[0] : undefined;
}
