// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * Tests and examples import `@std/*` from JSR. Where JSR does not answer, an import map puts our stand-ins in its place.
 *
 * As a program it runs the deno subcommand that it is given so: `deno run -A tests/std_imports.ts check .`
 *
 * @module
 */

const DEADLINE = 2_000;

/** The flags for a deno subcommand that loads modules which import `@std/*`. Says in one line when they are needed. */
export async function stdImportFlags(): Promise<string[]> {
  const registry = Deno.env.get("JSR_URL") ?? "https://jsr.io/";
  if (await answers(new URL("@std/assert/meta.json", registry))) return [];
  console.log(`${registry} does not answer: the stand-ins in tests/offline/ serve for @std/*`);
  return ["--import-map=tests/offline/import_map.json"];
}

/** Whether a registry answers within a short time. */
export async function answers(url: URL): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const [subcommand = "", ...rest] = Deno.args;
  const args = [subcommand, ...await stdImportFlags(), ...rest];
  const { code } = await new Deno.Command(Deno.execPath(), { args, stdin: "inherit" }).spawn().status;
  Deno.exit(code);
}
