// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";

/** Pages that the kernel provides while 160 MiB are made and freed, 16 at a time, after a frame of `body` bytes was read. */
async function faultsAfter(body: number): Promise<number> {
  const program = new URL("freed_memory_program.ts", import.meta.url).pathname;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", program, `${body}`],
    stdin: "null",
    stderr: "inherit",
  }).output();
  assertEquals(success, true);
  return Number(new TextDecoder().decode(stdout));
}

Deno.test({
  name: "makeLargeBuffer() has freed memory used again, where a large frame was read",
  ignore: !Deno.build.target.endsWith("linux-gnu"),
  fn: async () => {
    const [small, large] = [await faultsAfter(1024), await faultsAfter(512 * 1024)];
    // The memory of the frame itself, once freed, has up to three quarters of them used again, without anything that the function does.
    assert(large < small / 8, `${large} pages were provided, and ${small} without a large frame`);
  },
});

Deno.test("makeLargeBuffer() has V8 collect young memory only, where large frames are kept for a moment", async () => {
  const program = new URL("kept_frames_program.ts", import.meta.url).pathname;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "--v8-flags=--trace-gc,--expose-gc", program, `${512 * 1024}`],
    stdin: "null",
    stderr: "inherit",
  }).output();
  assertEquals(success, true);
  const trace = new TextDecoder().decode(stdout).split("\n");
  const count = (kind: string) => trace.filter((line) => line.includes(kind)).length;
  const [young, whole] = [count("Scavenge"), count("Mark-Compact")];
  assert(young > 3 * whole, `${whole} collections of the whole heap, and ${young} of young memory`);
});
