// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertRejects } from "@std/assert";
import { abortable } from "../../runtime/abortable.ts";

const never = () => new Promise<never>(() => {});

Deno.test("abortable() settles like its promise", async () => {
  const { signal } = new AbortController();
  assertEquals(await abortable(Promise.resolve(1), signal), 1);
  await assertRejects(() => abortable(Promise.reject(new RangeError("no")), signal), RangeError, "no");
});

Deno.test("abortable() rejects with the reason of its signal, whether that is aborted before or later", async () => {
  const controller = new AbortController();
  const later = abortable(never(), controller.signal);
  controller.abort(new RangeError("given up"));
  await assertRejects(() => later, RangeError, "given up");
  await assertRejects(() => abortable(never(), controller.signal), RangeError, "given up");
});
