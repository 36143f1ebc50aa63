// Copyright 2026 the Partisan peer-service authors. MIT license.

import { parseAddress } from "../manager/addresses.ts";
import type { Discovery } from "../manager/discovery.ts";
import { checkKind, type OptionKind } from "../runtime/options.ts";
import type { Address } from "../wire/address.ts";

const PATH: OptionKind = ["a path or a URL", (value) => typeof value === "string" || value instanceof URL];

/** Milliseconds in which several events of one change of the file are taken for one. */
const QUIET_MS = 50;

/**
 * Finds nodes at the addresses that a file names: one a line, with comments after `#`, or a JSON array of strings and
 * `{ hostname, port }` objects. The file is watched, and may be replaced, or appear later.
 *
 * Needs `--allow-read` for the file and, to be told of changes at once, for its folder.
 *
 * @param path Path of the file.
 * @throws {TypeError} When it is no path.
 *
 * @example What a file says
 * ```ts
 * import { file } from "@partisan/peer-service/discovery";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "# the first two\n10.0.0.7:9090\n10.0.0.8:9090\n");
 * const addresses = await file(path).lookup(new AbortController().signal);
 * await Deno.remove(path);
 *
 * assertEquals(addresses.map(({ hostname }) => hostname), ["10.0.0.7", "10.0.0.8"]);
 * ```
 */
export function file(path: string | URL): Discovery {
  checkKind("Cannot look up a file", "the path", path, PATH);
  return {
    name: `file ${textOf(path)}`,
    lookup: async (signal) => parse(await Deno.readTextFile(path, { signal })),
    watch: (changed, signal) => void watch(path, changed, signal),
  };
}

/** Path as text: in a URL a blank is written as `%20`, which names no folder. */
function textOf(path: string | URL): string {
  return path instanceof URL ? decodeURIComponent(path.pathname) : path;
}

/**
 * Reads a list of addresses.
 *
 * @throws {SyntaxError | RangeError | TypeError} When something in it is no address: then none of it is used.
 */
export function parse(text: string): Address[] {
  if (text.trimStart().startsWith("[")) {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) throw new TypeError("Cannot read the addresses: expected a JSON array");
    return value.map((entry) => parseAddress(entry));
  }
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  return lines.filter((line) => line !== "").map(parseAddress);
}

/** Watches the folder: a file that is replaced, as editors and Kubernetes do, is another one afterwards. */
async function watch(path: string | URL, changed: () => void, signal: AbortSignal): Promise<void> {
  const folder = textOf(path).replace(/[^/\\]*$/, "") || ".";
  let quiet: ReturnType<typeof setTimeout> | undefined;
  try {
    using watcher = Deno.watchFs(folder);
    const close = () => watcher.close();
    signal.addEventListener("abort", close, { once: true });
    if (signal.aborted) return;
    for await (const _event of watcher) {
      clearTimeout(quiet);
      quiet = setTimeout(changed, QUIET_MS);
    }
  } catch {
    // A folder that cannot be watched, or is not there: the look-ups from time to time find out, and say why they fail.
  } finally {
    clearTimeout(quiet);
  }
}
