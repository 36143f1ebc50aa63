// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { MANAGER_NAME, Registry } from "../../messaging/registry.ts";

function bench(): { registry: Registry; manager: () => void; unregistered: string[] } {
  const unregistered: string[] = [];
  const manager = () => {};
  return { registry: new Registry(manager, (name) => void unregistered.push(name)), manager, unregistered };
}

Deno.test("Registry finds a handler by its name until that is taken back", () => {
  const { registry, unregistered } = bench();
  const handler = () => {};
  registry.register("log", handler);
  assertStrictEquals(registry.whereis("log"), handler);
  assertEquals(registry.unregister("log"), true);
  assertEquals(registry.whereis("log"), undefined);
  assertEquals(registry.unregister("log"), false);
  assertEquals(unregistered, ["log"]);
  registry.register("log", handler);
});

Deno.test("Registry refuses a name that is taken, empty, too long, reserved or no text, and what is no function", () => {
  const { registry } = bench();
  registry.register("log", () => {});
  registry.register("x".repeat(255), () => {});
  assertThrows(() => registry.register("log", () => {}), RangeError, 'Cannot register "log": the name is taken');
  for (const name of ["", "x".repeat(256), "\0log", 5 as never, null as never]) {
    assertThrows(() => registry.register(name, () => {}), TypeError, "a name has 1 to 255 characters");
  }
  assertThrows(() => registry.register("x", 5 as never), TypeError, "the handler is number, expected a function");
  const wrong = { borrow: "yes" as never };
  assertThrows(
    () => registry.register("x", () => {}, wrong),
    TypeError,
    'the option "borrow" is "yes", expected a boolean or "range"',
  );
  const schema = { "~standard": { version: 1, vendor: "x", validate: (value: unknown) => ({ value }) } } as const;
  assertThrows(() => registry.register("x", () => {}, { borrow: "range", schema }), TypeError, 'leave out "schema"');
});

Deno.test("Registry knows no names but those that were registered, such as those that every object has", () => {
  const { registry } = bench();
  for (const name of ["constructor", "__proto__", "toString"]) {
    assertEquals(registry.whereis(name), undefined);
    assertEquals(registry.unregister(name), false);
    registry.register(name, () => {});
  }
});

Deno.test("Registry keeps the names of the manager and of its parts from users", () => {
  const { registry, manager, unregistered } = bench();
  const part = () => {};
  registry.reserve("\0part", part);
  for (const [name, handler] of [[MANAGER_NAME, manager], ["\0part", part]] as const) {
    assertEquals(registry.unregister(name), false);
    assertStrictEquals(registry.whereis(name), handler);
  }
  assertEquals(unregistered, []);
});
