// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

Deno.test("Every entry point type-checks in a project without compiler options of its own, as in a script that imports it", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))) as {
    exports: Readonly<Record<string, string>>;
  };
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const imports = Object.values(exports).map((path) => `import ${JSON.stringify(new URL(path, ROOT).href)};\n`);
    await Deno.writeTextFile(script, imports.join(""));
    const check = new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-config", "--no-lock", script],
      env: { NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    });
    const { success, stderr } = await check.output();
    assert(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(script);
  }
});
