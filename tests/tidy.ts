// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * The habits of this repository that neither the formatter nor the linter knows, as rules over one source file.
 * `tidy_test.ts` holds every file against them.
 *
 * @module
 */

import { retiredIn } from "./vocabulary.ts";

const HEADER = "// Copyright 2026 the Partisan peer-service authors. MIT license.\n";
const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;

/** Every folder at the top; a new room needs a place in the layout first. */
export const FOLDERS: readonly string[] = [
  ".ci",
  "bench",
  "cli",
  "connections",
  "deploy",
  "discovery",
  "docs",
  "examples",
  "gossip",
  "groups",
  "manager",
  "membership",
  "messaging",
  "ops",
  "placement",
  "runtime",
  "strategy",
  "testing",
  "tests",
  "transport",
  "wire",
];

const PROTOCOLS = ["membership", "strategy", "gossip", "messaging"];
const BELOW_MANAGER = [...PROTOCOLS, "connections", "wire", "transport", "runtime"];

/**
 * The rooms that each room may import from. Imports go downwards only: rooms of users, manager, protocols and connections, formats,
 * runtime. Protocols know no connections; `messaging/` alone does, where a message is handed over.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  wire: ["runtime"],
  transport: ["wire", "runtime"],
  connections: ["transport", "wire", "runtime"],
  membership: ["wire", "runtime"],
  gossip: ["membership", "wire", "runtime"],
  strategy: ["gossip", "membership", "wire", "runtime"],
  messaging: ["connections", "wire", "runtime"],
  manager: BELOW_MANAGER,
  discovery: ["manager", ...BELOW_MANAGER],
  groups: ["manager", ...BELOW_MANAGER],
  placement: ["groups", "manager", ...BELOW_MANAGER],
  ops: ["groups", "manager", ...BELOW_MANAGER],
  testing: ["manager", ...BELOW_MANAGER],
  cli: ["ops", "testing", "discovery", "manager", ...BELOW_MANAGER],
};

/** Modules that may touch the outside world: programs, and the edge that the runtime object hands to the core. */
const EDGE = [
  /^(bench|cli|discovery|examples|ops|tests)\//,
  /^runtime\/system\.ts$/,
  /^transport\/deno_runtime\.ts$/,
  /^transport\/(tcp|unix)\/[a-z0-9_]+\.ts$/,
  /^membership\/file_store\.ts$/,
  /^membership\/store_lock\.ts$/,
];

/** Clocks, timers, randomness and I/O that any module could reach without an import. */
const AMBIENT = new Set([
  ...["Deno", "Temporal", "console", "fetch", "globalThis", "performance"],
  ...["queueMicrotask", "setImmediate", "setInterval", "setTimeout"],
]);
const AMBIENT_MEMBERS = new Set([
  ...["AbortSignal.timeout", "Date.now", "Math.random"],
  ...["crypto.getRandomValues", "crypto.randomUUID"],
]);

/** The simulator gives way to the code that it runs: order, not time. */
const ALLOWED_IN_TESTING = new Set(["queueMicrotask", "setImmediate"]);

/**
 * Finds what is untidy about a source file, one sentence each.
 *
 * @param path From the root of the repository, with slashes.
 * @param text The file's text.
 */
export function untidiness(path: string, text: string): string[] {
  const found = [...leftovers(path, text)];
  const name = path.split("/").at(-1) ?? "";
  if (!/^_?[a-z0-9]+(_[a-z0-9]+)*\.ts$/.test(name)) found.push(`${path}: the file's name is not in snake_case`);
  for (const { word, instead } of retiredIn(path, name)) {
    found.push(`${path}: the file's name says "${word}": the field's term is ${instead}`);
  }
  if (!text.startsWith(HEADER)) found.push(`${path}: the first line is not the copyright line`);
  const lines = codeLines(text);
  if (isSource(path) && lines > FILE_LINES_MAX) {
    found.push(`${path}: ${lines} lines of code, at most ${FILE_LINES_MAX}`);
  }
  for (const { message, range } of Deno.lint.runPlugin(syntaxRules(path), path, text)) {
    found.push(`${path}:${lineAt(text, range[0])}: ${message}`);
  }
  return found;
}

/** Finds what has no place in source files nor in prose: notes to self, and code blocks that `deno test --doc` skips. */
export function leftovers(path: string, text: string): string[] {
  // The brackets keep this very line from being one.
  const notes = /\b(?:TO[D]O|FIX[M]E)\b/g;
  const skipped = /^[ *]*```(?:ts|js)x? +\S+/gm;
  return [
    ...Array.from(text.matchAll(notes), ({ 0: note, index }) => `${path}:${lineAt(text, index)}: a leftover ${note}`),
    ...Array.from(
      text.matchAll(skipped),
      ({ index }) => `${path}:${lineAt(text, index)}: a code block that is not run`,
    ),
  ];
}

/** Whether limits of size hold: a test, a measurement or an example may be a long list. */
function isSource(path: string): boolean {
  return !/^(bench|examples|tests)\//.test(path);
}

/** Lines that hold code: documentation stays with what it documents, however much there is of it. */
function codeLines(text: string): number {
  let isInComment = false;
  let count = 0;
  for (const line of text.split("\n").map((line) => line.trim())) {
    const isComment = isInComment || line.startsWith("//") || line.startsWith("/*");
    if (line.startsWith("/*")) isInComment = true;
    if (isInComment && line.endsWith("*/")) isInComment = false;
    if (line !== "" && !isComment) count++;
  }
  return count;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

type Visitor = Deno.lint.LintVisitor;

/** The rules that need the syntax tree, so that comments, strings and the names of methods are no offence. */
function syntaxRules(path: string): Deno.lint.Plugin {
  const rules: Record<string, Deno.lint.Rule> = {};
  if (!EDGE.some((pattern) => pattern.test(path))) {
    rules["no-ambient"] = { create: (context) => noAmbient(path, context) };
  }
  if (isSource(path)) rules["short-functions"] = { create: shortFunctions };
  if (isSource(path)) rules["cast-with-reason"] = { create: castWithReason };
  if (path.startsWith("tests/")) rules["expected-values"] = { create: expectedValues };
  if (isSource(path) || path.startsWith("tests/")) {
    rules["field-terms"] = { create: (context) => fieldTerms(path, context) };
  }
  if (path.split("/").at(-1) === "mod.ts") rules["only-re-exports"] = { create: onlyReExports };
  return { name: "tidy", rules };
}

function noAmbient(path: string, context: Deno.lint.RuleContext): Visitor {
  const allowed = path.startsWith("testing/") ? ALLOWED_IN_TESTING : new Set();
  const report = (node: Deno.lint.Node, what: string) =>
    context.report({ node, message: `${what} is reached directly: take it from the runtime object` });
  return {
    Identifier(node) {
      if (AMBIENT.has(node.name) && !allowed.has(node.name) && !isOnlyAName(node)) report(node, node.name);
    },
    MemberExpression(node) {
      const member = context.sourceCode.getText(node);
      if (AMBIENT_MEMBERS.has(member)) report(node, member);
    },
    "NewExpression, CallExpression"(node: Deno.lint.NewExpression | Deno.lint.CallExpression) {
      const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
      if (isDate && node.arguments.length === 0) report(node, "The clock behind Date");
    },
  };
}

/** Whether an identifier names a member of something (`clock.setTimeout`, `{ fetch: 1 }`) and not a variable. */
function isOnlyAName(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if ("computed" in parent && parent.computed) return false;
  return ("key" in parent && parent.key === node) || ("property" in parent && parent.property === node);
}

function shortFunctions(context: Deno.lint.RuleContext): Visitor {
  return {
    "FunctionDeclaration, FunctionExpression, ArrowFunctionExpression"(node: Deno.lint.FunctionDeclaration) {
      const lines = codeLines(context.sourceCode.getText(node));
      if (lines > FUNCTION_LINES_MAX) {
        context.report({ node, message: `a function of ${lines} lines of code, at most ${FUNCTION_LINES_MAX}` });
      }
    },
  };
}

/** A cast by way of `unknown` switches the type check off: a comment on the line before it says why that is safe. */
function castWithReason(context: Deno.lint.RuleContext): Visitor {
  const lines = context.sourceCode.text.split("\n");
  return {
    TSAsExpression(node) {
      const { expression } = node;
      const isCast = expression.type === "TSAsExpression" && expression.typeAnnotation.type === "TSUnknownKeyword";
      // The line before has this number where lines are counted from 0.
      const before = lines[lineAt(context.sourceCode.text, node.range[0]) - 2] ?? "";
      if (isCast && !before.trim().startsWith("//")) {
        context.report({ node, message: "a cast by way of unknown, with no comment before it that says why" });
      }
    },
  };
}

/** A test says what is missing; `!` fails later, with words of the engine, or not at all. */
function expectedValues(context: Deno.lint.RuleContext): Visitor {
  return {
    TSNonNullExpression: (node) =>
      context.report({ node, message: "a non-null assertion: take the value with the helpers of tests/values.ts" }),
  };
}

/** Things are called what the field calls them. */
function fieldTerms(path: string, context: Deno.lint.RuleContext): Visitor {
  const check = (node: Deno.lint.Identifier | Deno.lint.PrivateIdentifier) => {
    for (const { word, instead } of retiredIn(path, node.name)) {
      context.report({ node, message: `"${node.name}" says "${word}": the field's term is ${instead}` });
    }
  };
  return { Identifier: check, PrivateIdentifier: check };
}

function onlyReExports(context: Deno.lint.RuleContext): Visitor {
  return {
    Program(program) {
      for (const node of program.body) {
        const isReExport = node.type === "ExportAllDeclaration" ||
          node.type === "ExportNamedDeclaration" && node.source !== null;
        if (!isReExport) context.report({ node, message: "a mod.ts only re-exports" });
      }
    },
  };
}

/**
 * Rooms that may use modules of Node.js that are built in: Deno's own API has no mutual TLS for a server, no ChaCha20-Poly1305, and no
 * look-up of host names as the system does it.
 */
const BUILT_IN: readonly string[] = ["connections/noise/", "transport/tcp/", "transport/tls/"];

/** Output of `deno info --json`, as far as we read it. */
export interface ModuleGraph {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { specifier: string; isDynamic?: boolean }[];
  }[];
}

/** Modules of a graph that a package may not contain, and imports that `deno compile` would not see. */
export function strangers(graph: ModuleGraph, root: string): string[] {
  const importers = (built: string) =>
    graph.modules.filter(({ dependencies = [] }) => dependencies.some(({ specifier }) => specifier === built));
  const isNeeded = (specifier: string) => {
    const by = specifier.startsWith("node:") ? importers(specifier) : [];
    return by.length > 0 && by.every((module) => BUILT_IN.some((room) => module.specifier.startsWith(root + room)));
  };
  return graph.modules.flatMap(({ specifier, error, dependencies = [] }) => {
    const isFile = specifier.startsWith(root) && !specifier.startsWith(`${root}tests/`) && error === undefined;
    const isOurs = isFile || isNeeded(specifier);
    const late = dependencies.filter(({ isDynamic }) => isDynamic);
    return [
      ...(isOurs ? [] : [`${specifier} is not ours to publish`]),
      ...late.map((dependency) => `${specifier} imports "${dependency.specifier}" dynamically`),
    ];
  });
}
