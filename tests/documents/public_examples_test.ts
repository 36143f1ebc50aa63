// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertArrayIncludes, assertEquals } from "@std/assert";
import { type Documentation, withoutExample } from "./public_examples.ts";

const ROOT = new URL("../../", import.meta.url);

async function documentation(...entries: readonly string[]): Promise<Documentation> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...entries],
    cwd: ROOT,
    stdin: "null",
  }).output();
  assert(success, `deno doc ${entries.join(" ")} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("every exported function and class has an example, and every method is used in one", async () => {
  const { exports }: { exports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const published = await documentation(...Object.values(exports));
  const names = Object.values(published.nodes).flatMap(({ symbols }) => symbols.map(({ name }) => name));
  assertArrayIncludes(names, [
    "startPeerService",
    "PeerServiceManager",
    "Heartbeat",
    "OrSet",
    "fullMesh",
    "TcpTransport",
  ]);
  assertEquals(withoutExample(published), []);
});

Deno.test("withoutExample() names what lacks an example", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/manager`);
    await Deno.writeTextFile(
      `${folder}/mod.ts`,
      `
        export * from "./manager/peer_service_manager.ts";
        /** @example One */
        export function shown() {}
        /** Not shown. */
        export function dark() {}
        /** Not shown. */
        export class Dark {}
        /** @example object.used() */
        export class Shown {
          used(): void {}
          user(): void {}
        }
        /** Not shown. */
        export interface Contract {
          implemented(): void;
        }
      `,
    );
    await Deno.writeTextFile(
      `${folder}/manager/peer_service_manager.ts`,
      `
        export interface Api {
          /** @example One */
          overloaded(x: string): void;
          overloaded(x: number): void;
          /** @ignore */
          hidden(): void;
          readonly property: number;
          dark(): void;
        }
      `,
    );
    assertEquals(withoutExample(await documentation(`${folder}/mod.ts`)), [
      "Api.dark()",
      "Dark",
      "Shown.user()",
      "dark",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
