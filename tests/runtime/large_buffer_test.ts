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

/** Collections of the whole heap while 8 GiB are read: a few at the beginning, and while the machine is busy. Without ballast there are 300 and more, and 50 and more. */
const WHOLE_MAX = [[15 * 1024, 150], [512 * 1024, 45]] as const;

for (const [body, limit] of WHOLE_MAX) {
  Deno.test(`makeLargeBuffer() has V8 collect young memory only, where frames of ${body} bytes are kept for a moment`, async () => {
    const program = new URL("kept_frames_program.ts", import.meta.url).pathname;
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", "--v8-flags=--trace-gc,--expose-gc", program, `${body}`],
      stdin: "null",
      stderr: "inherit",
    }).output();
    assertEquals(success, true);
    const trace = new TextDecoder().decode(stdout).split("\n");
    const whole = trace.filter((line) => line.includes("Mark-Compact")).length;
    assert(whole <= limit, `${whole} collections of the whole heap, at most ${limit} are expected`);
  });
}
