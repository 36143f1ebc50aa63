// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { SECRETS_MAX, SharedSecrets } from "../../../connections/handshake/shared_secrets.ts";
import { secretWeakness } from "../../../connections/handshake/secret_weakness.ts";
import { bareRuntime } from "../bare_runtime.ts";
import { quickSecrets } from "../cluster_identity.ts";
import { firstOf } from "../../values.ts";

const runtime = bareRuntime();

Deno.test("SharedSecrets.stretch() makes the key that scrypt says, salted with the name of the cluster", async () => {
  const accepted = (await SharedSecrets.stretch(runtime, "blue", ["correct horse battery"])).accepted();
  const key = Array.from(firstOf(accepted), (byte) => byte.toString(16).padStart(2, "0")).join("");
  // Python: hashlib.scrypt(b"correct horse battery", salt=b"partisan secret\0blue", n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
  assertEquals(key, "24d81d254da9027476810c22d711c303b18dc4c9c93affced08383a4a7c139e0");
});

Deno.test("SharedSecrets.stretch() makes another key of the same secret in another cluster", async () => {
  const [blue, green] = [await quickSecrets(runtime, ["x"], "blue"), await quickSecrets(runtime, ["x"], "green")];
  assert(firstOf(blue.accepted()).some((byte, at) => byte !== firstOf(green.accepted())[at]));
});

Deno.test("SharedSecrets.stretch() refuses an empty secret, and too many", async () => {
  await assertRejects(() => quickSecrets(runtime, ["x", ""]), RangeError, "one of them is empty");
  const many = Array.from({ length: SECRETS_MAX + 1 }, (_, number) => `secret ${number}`);
  await assertRejects(
    () => quickSecrets(runtime, many),
    RangeError,
    `there are ${many.length}, the limit is ${SECRETS_MAX}`,
  );
  assertEquals((await quickSecrets(runtime, many.slice(1))).accepted().length, SECRETS_MAX);
});

Deno.test("SharedSecrets shows no secret to those who print it", async () => {
  const secrets = await quickSecrets(runtime, ["hunter2hunter2"]);
  assert(!Deno.inspect(secrets, { showHidden: true, depth: 9 }).includes("hunter2"));
  assertEquals(JSON.stringify(secrets), "{}");
});

Deno.test("secretWeakness() finds secrets that are short, poor in characters, or repeat themselves", () => {
  const weak: [string, RegExp][] = [
    ["", /0 characters/],
    ["hunter2", /7 characters, expected at least 16/],
    ["x".repeat(15), /15 characters/],
    ["🔑".repeat(10), /10 characters/],
    ["a".repeat(100), /1 different/],
    ["abcabcabcabcabcabc", /3 different/],
    ["password".repeat(4), /repeats its first 8 characters/],
    ["0123456789".repeat(3), /repeats its first 10 characters/],
  ];
  for (const [secret, reason] of weak) assert(reason.test(secretWeakness(secret) ?? ""), secret);
  for (const secret of ["correct horse battery", "kX9#mQ2$vL8@nR4!", "d0f8b1c3a7e94425b8f1"]) {
    assertEquals(secretWeakness(secret), null, secret);
  }
});
