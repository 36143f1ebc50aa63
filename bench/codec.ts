// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { CodecTimes } from "./codec_child.ts";
import type { Report } from "./report.ts";
import type { Effort, Subject } from "./subject.ts";

/** Measurements of `codec_child.ts`, as a part of the table. */
export const codec: Subject = {
  name: "codec",
  title: "Encoding and decoding, one value at a time in one process, into one buffer as the wire path does",
  baseline: "JSON or @std/msgpack",
  async measure({ rounds }: Effort, report: Report): Promise<void> {
    for (const { what, times: { ours, ...others } } of await runChild(rounds)) {
      for (const [name, baseline] of Object.entries(others)) {
        report.row("codec", { what: `${what}, against ${name}`, unit: "ns", baseline, ours: ours! });
      }
    }
  },
};

/** Another process, because only there `@std/msgpack` can be replaced where JSR does not answer. */
async function runChild(rounds: number): Promise<CodecTimes[]> {
  const args = ["run", "-A", "tests/std_imports.ts", "run", "bench/codec_child.ts", `${rounds}`];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: new URL("../", import.meta.url),
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`Cannot measure the codec: ${text}`);
  return JSON.parse(text.trimEnd().split("\n").at(-1)!);
}
