// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { cycles, forbiddenImports, importsOf } from "./import_graph.ts";
import { FOLDERS, leftovers, strangers, untidiness } from "./tidy.ts";

const ROOT = new URL("../", import.meta.url);
const HEADER = "// Copyright 2026 the Partisan peer-service authors. MIT license.\n\n";
const NOT_OURS = new Set([".git", "coverage", "dist", "node_modules"]);

/** The paths of all files below a folder, from the root of the repository. */
function* files(folder = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (NOT_OURS.has(name)) continue;
    if (isDirectory) yield* files(`${folder}${name}/`);
    else yield folder + name;
  }
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

async function readJson(path: string): Promise<Record<string, Record<string, string>>> {
  return JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
}

Deno.test("every source file is tidy", () => {
  const paths = [...files()].filter((path) => path.endsWith(".ts"));
  assert(paths.length > 0);
  assertEquals(paths.flatMap((path) => untidiness(path, read(path))), []);
});

Deno.test("prose has no leftovers, and each of its code blocks is run", () => {
  const paths = [...files()].filter((path) => path.endsWith(".md"));
  assertEquals(paths.flatMap((path) => leftovers(path, read(path))), []);
});

Deno.test("every folder has its place in the layout", () => {
  const folders = new Set([...files()].filter((path) => path.includes("/")).map((path) => path.split("/")[0]));
  assertEquals([...folders].filter((folder) => !FOLDERS.includes(folder ?? "")), []);
});

Deno.test("imports go downwards only, and there are no circles, not even of types", () => {
  const paths = [...files()].filter((path) => path.endsWith(".ts") && !/^(bench|docs|examples|tests)\//.test(path));
  assert(paths.length > 0);
  const graph = new Map(paths.map((path) => [path, importsOf(path, read(path))] as const));
  assertEquals(forbiddenImports(graph), []);
  assertEquals(cycles(graph), []);
});

Deno.test("what is published or compiled imports nothing from outside the repository, and nothing late", async () => {
  const { exports } = await readJson("deno.json");
  const programs = [...files()].filter((path) => path === "cli/main.ts");
  const found = await Promise.all([...Object.values(exports ?? {}), ...programs].map(strangersBehind));
  assertEquals(found.flat(), []);
});

async function strangersBehind(entry: string): Promise<string[]> {
  const args = ["info", "--json", entry];
  const { stdout, success } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" }).output();
  assert(success, `deno info ${entry} failed`);
  return strangers(JSON.parse(new TextDecoder().decode(stdout)), ROOT.href);
}

Deno.test("the offline import map stands in for every name that deno.json knows", async () => {
  const { name, exports = {}, imports = {} } = await readJson("deno.json");
  const { imports: offline = {} } = await readJson("tests/offline/import_map.json");
  const known = Object.keys(exports).map((key) => key.replace(".", `${name}`));
  assertEquals(Object.keys(offline).sort(), [...known, ...Object.keys(imports)].sort());
  for (const [key, file] of Object.entries(exports)) {
    assertEquals(offline[key.replace(".", `${name}`)], file.replace("./", "../../"));
  }
});

/** That a file with this body is found fault with, in words that include `complaint`. */
function assertUntidy(path: string, body: string, complaint: string): void {
  const found = untidiness(path, HEADER + body);
  assertEquals(found.length, 1, found.join("\n"));
  assertStringIncludes(found[0] ?? "", complaint);
}

Deno.test("untidiness() finds the clocks, timers, randomness and I/O that a core file reaches directly", () => {
  const offences = {
    "Date.now": "const t = Date.now();",
    "The clock behind Date": "const t = new Date();",
    "performance": "const t = performance.now();",
    "Math.random": "const r = Math.random();",
    "crypto.getRandomValues": "crypto.getRandomValues(new Uint8Array(8));",
    "crypto.randomUUID": "const id = crypto.randomUUID();",
    "setTimeout": "let timer: ReturnType<typeof setTimeout>;",
    "setInterval": "const o = { setInterval };",
    "setImmediate": "setImmediate(() => {});",
    "queueMicrotask": "queueMicrotask(() => {});",
    "AbortSignal.timeout": "const signal = AbortSignal.timeout(5);",
    "globalThis": 'const t = globalThis["set" + "Timeout"];',
    "Deno": "const text = `${Deno.cwd()}`;",
    "console": "console.log(1);",
  };
  for (const [name, body] of Object.entries(offences)) {
    assertUntidy("gossip/pulse.ts", body, `gossip/pulse.ts:3: ${name} is reached directly`);
    assertEquals(untidiness("transport/tcp/tcp_stream.ts", HEADER + body), []);
  }
  assertEquals(untidiness("testing/world.ts", `${HEADER}setImmediate(() => {});`), []);
  assertUntidy("testing/world.ts", "setTimeout(() => {}, 1);", "setTimeout is reached directly");
});

Deno.test("untidiness() takes no offence at comments, strings, members and dates from numbers", () => {
  const body = `// Date.now() and setTimeout
    /** Like \`performance.now()\`. */
    interface Clock { setTimeout(): void; performance: number }
    const text = "Deno.cwd() → console.log";
    class Fake { setInterval() { return { fetch: 1, at: new Date(0) }; } }
    function use(clock: Clock) { clock.setTimeout(); return clock.performance; }`;
  assertEquals(untidiness("gossip/pulse.ts", HEADER + body), []);
});

Deno.test("untidiness() finds a missing header, a long file, a long function, a bad name and a mod.ts with code", () => {
  const lines = (count: number) => "x();\n".repeat(count);
  assertStringIncludes(untidiness("gossip/pulse.ts", "export {};\n").join(), "copyright line");
  assertUntidy("gossip/pulse.ts", lines(301), "301 lines of code, at most 300");
  const prose = "\n// x();\n/** x(); */\n/**\n * x();\n */\n";
  assertEquals(untidiness("gossip/pulse.ts", HEADER + lines(300) + prose), []);
  assertEquals(untidiness("tests/pulse_test.ts", HEADER + lines(500)), []);
  assertUntidy("gossip/pulse.ts", `function f() {\n${lines(69)}}`, ":3: a function of 71 lines of code, at most 70");
  assertUntidy("gossip/pulse.ts", `class A { f() {\n${lines(69)}} }`, "a function of 71 lines of code");
  assertEquals(untidiness("gossip/pulse.ts", `${HEADER}function f() {\n${prose}${lines(68)}}`), []);
  assertUntidy("gossip/heartbeatSender.ts", "", "not in snake_case");
  assertUntidy("gossip/mod.ts", "export const pulse = 1;", "a mod.ts only re-exports");
  assertEquals(
    untidiness("gossip/mod.ts", `${HEADER}export { pulse } from "./pulse.ts";\nexport * from "./x.ts";`),
    [],
  );
  assertUntidy("gossip/pulse.ts", ["// TO", "DO: more"].join(""), ":3: a leftover");
  assertUntidy("gossip/pulse.ts", "/**\n * ```ts ignore\n * pulse();\n * ```\n */", ":4: a code block that is not run");
});

Deno.test("untidiness() finds non-null assertions in tests", () => {
  for (const text of ["const length = list[0]!.length;", "list![0] = 1;", "list[0]!++;", "f(value!);"]) {
    assertUntidy("tests/pulse_test.ts", text, ":3: a non-null assertion");
    assertEquals(untidiness("gossip/pulse.ts", HEADER + text), []);
  }
  assertEquals(untidiness("tests/pulse_test.ts", `${HEADER}if (!a && a !== b) f("b!");`), []);
});

Deno.test("untidiness() finds a cast by way of unknown that gives no reason", () => {
  const cast = "const pulse = value as unknown as Pulse;";
  assertUntidy("gossip/pulse.ts", `\n${cast}`, ":4: a cast by way of unknown");
  assertEquals(untidiness("gossip/pulse.ts", `${HEADER}// Checked above.\n${cast}`), []);
  assertEquals(
    untidiness("gossip/pulse.ts", `${HEADER}const pulse = value as Pulse;\nconst all = value as unknown;`),
    [],
  );
  assertEquals(untidiness("tests/pulse_test.ts", HEADER + cast), []);
});

Deno.test("untidiness() finds names that say a retired word, in any case, in the code and in the name of the file", () => {
  assertUntidy("gossip/a.ts", "const memberLife = 1;", '"memberLife" says "life": the field\'s term is incarnation');
  assertUntidy("gossip/a.ts", "class A { #verdict = 1; }", 'says "verdict"');
  assertUntidy("gossip/a.ts", "const LIVES_MAX = 1;", '"LIVES_MAX" says "lives"');
  assertUntidy("gossip/name_witness.ts", "", 'the file\'s name says "witness"');
  assertUntidy("connections/a.ts", "const place = 1;", '"place" says "place": the field\'s term is slot');
  const others = "const place = alive(placement, heartbeat); // a life, a verdict";
  assertEquals(untidiness("wire/a.ts", HEADER + others), []);
  assertUntidy("tests/a_test.ts", "const life = 1;", '"life" says "life"');
  assertEquals(untidiness("examples/a.ts", `${HEADER}const life = 1;`), []);
});

Deno.test("leftovers() finds notes to self and skipped code blocks in prose", () => {
  assertEquals(leftovers("docs/a.md", "# A\n\n```ts\nx();\n```\n\n```sh\nls\n```\n"), []);
  assertEquals(leftovers("docs/a.md", "# A\n\n```ts ignore\nx();\n```\n"), [
    "docs/a.md:3: a code block that is not run",
  ]);
  assertEquals(leftovers("docs/a.md", ["# A\nFIX", "ME"].join("")), [["docs/a.md:2: a leftover FIX", "ME"].join("")]);
});

Deno.test("strangers() finds modules from elsewhere, missing ones, tests and dynamic imports", () => {
  const modules = [
    { specifier: "file:///repo/mod.ts", dependencies: [{ specifier: "./late.ts", isDynamic: true }] },
    { specifier: "file:///repo/gone.ts", error: "not found" },
    { specifier: "file:///repo/tests/run.ts" },
    { specifier: "file:///elsewhere/mod.ts" },
    { specifier: "node:util" },
    { specifier: "https://jsr.io/@std/assert/1.0.0/mod.ts" },
  ];
  assertEquals(strangers({ modules }, "file:///repo/"), [
    'file:///repo/mod.ts imports "./late.ts" dynamically',
    "file:///repo/gone.ts is not ours to publish",
    "file:///repo/tests/run.ts is not ours to publish",
    "file:///elsewhere/mod.ts is not ours to publish",
    "node:util is not ours to publish",
    "https://jsr.io/@std/assert/1.0.0/mod.ts is not ours to publish",
  ]);
  assertEquals(strangers({ modules: [{ specifier: "file:///repo/mod.ts" }] }, "file:///repo/"), []);
});
