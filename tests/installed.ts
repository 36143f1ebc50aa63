// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Whether a program is installed, and says its version. */
export async function isInstalled(program: string): Promise<boolean> {
  try {
    // Where there is none, this throws before there is a promise.
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
