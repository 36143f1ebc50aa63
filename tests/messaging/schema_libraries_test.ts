// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallError, type PeerServiceManager, type StandardSchema, startPeerService } from "../../mod.ts";
import { isStandardSchema } from "../../messaging/standard_schema.ts";
import { answers } from "../std_imports.ts";

/** A schema of `{ name: string of 1 character or more, age: number of 0 or more, 1 unless given }`. */
type PersonSchema = StandardSchema<unknown, { name: string; age: number }>;

const registry = Deno.env.get("NPM_CONFIG_REGISTRY") ?? "https://registry.npmjs.org/";
const isReachable = await answers(new URL("zod", registry.endsWith("/") ? registry : `${registry}/`));

/** Loads a library late, by a name that no node can follow: nothing of it is in any graph of imports. */
async function load<T>(name: string): Promise<T> {
  return await import(["npm", name].join(":"));
}

/** Part of Zod that is used. */
interface Zod {
  readonly z: {
    object(shape: Record<string, unknown>): PersonSchema;
    string(): { min(length: number): unknown };
    number(): { min(least: number): { default(value: number): unknown } };
  };
}

/** Part of Valibot that is used. */
interface Valibot {
  object(entries: Record<string, unknown>): PersonSchema;
  pipe(...steps: unknown[]): unknown;
  string(): unknown;
  minLength(length: number): unknown;
  number(): unknown;
  minValue(least: number): unknown;
  optional(schema: unknown, value: number): unknown;
}

const LIBRARIES: Readonly<Record<string, () => Promise<PersonSchema>>> = {
  async zod() {
    const { z } = await load<Zod>("zod@^4");
    return z.object({ name: z.string().min(1), age: z.number().min(0).default(1) });
  },
  async valibot() {
    const v = await load<Valibot>("valibot@^1");
    return v.object({
      name: v.pipe(v.string(), v.minLength(1)),
      age: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
    });
  },
};

async function refuses(node: PeerServiceManager, message: unknown, path: string): Promise<void> {
  const error = await assertRejects(() => node.call(node.name, "greet", message), CallError, `"greet": "${path}": `);
  assertEquals(error.remote?.name, "TypeError");
  await assertRejects(() => node.forwardMessage(node.name, "greet", message, { ack: true }), CallError, `"${path}"`);
}

for (const [name, makeSchema] of Object.entries(LIBRARIES)) {
  Deno.test({
    name: `a schema of ${name} keeps from a handler what does not fit, and hands it what it makes of the rest`,
    ignore: !isReachable,
    fn: async () => {
      const schema = await makeSchema();
      assert(isStandardSchema(schema));
      assertEquals(schema["~standard"].vendor, name);
      await using node = await startPeerService({ name: "a" });
      node.addEventListener("error", () => {});
      const seen: unknown[] = [];
      node.register("greet", ({ name, age }) => {
        seen.push({ name, age });
        return `Hello ${name}, ${age + 1}`;
      }, { schema });
      assertEquals(await node.call("a", "greet", { name: "Ada", age: 36 }), "Hello Ada, 37");
      assertEquals(await node.call("a", "greet", { name: "Eve" }), "Hello Eve, 2");
      await refuses(node, { name: "", age: 3 }, "name");
      await refuses(node, { name: "Bob", age: -1 }, "age");
      await refuses(node, { age: 1 }, "name");
      await assertRejects(() => node.call("a", "greet", "Ada"), CallError, "greet");
      node.registerStream("people", async ({ writable }, { name }: { name: string }) => {
        const writer = writable.getWriter();
        await writer.write(new TextEncoder().encode(name));
        await writer.close();
      }, { schema });
      const { readable, writable } = await node.openStream("a", "people", { name: "Ada" });
      await writable.close();
      assertEquals(await new Response(readable).text(), "Ada");
      const refused = await node.openStream("a", "people", { name: 1 });
      await assertRejects(() => refused.closed, CallError, `"people": "name"`);
      assertEquals(seen, [{ name: "Ada", age: 36 }, { name: "Eve", age: 1 }]);
    },
  });
}
