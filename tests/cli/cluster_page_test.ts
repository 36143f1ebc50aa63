// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { readLines } from "../../cli/protocol.ts";
import { BrowserPage, chromiumPath } from "../chromium.ts";
import { present } from "../values.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).href;

/** A local cluster that serves its page, with the permissions that `deno task cluster` gives. */
class PagedCluster implements AsyncDisposable {
  /** Address of the page, with the token. */
  readonly url: string;
  readonly #process: Deno.ChildProcess;
  readonly #rest: Promise<void>;

  private constructor(url: string, process: Deno.ChildProcess, lines: AsyncGenerator<string>) {
    this.url = url;
    this.#process = process;
    this.#rest = (async () => {
      for await (const _ of lines) { /* so that it can go on */ }
    })();
  }

  static async start(): Promise<PagedCluster> {
    const args = [
      "run",
      "--no-prompt",
      "--no-check",
      "--allow-net",
      "--allow-run",
      MAIN,
      "cluster",
      "--nodes",
      "3",
      "--page",
    ];
    const process = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
    const lines = readLines(process.stdout);
    for (let next; !(next = await lines.next()).done;) {
      const [, url] = /^The page: (\S+)$/.exec(next.value) ?? [];
      if (url !== undefined) return new PagedCluster(url, process, lines);
    }
    throw new Error("The cluster did not say where its page is");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#rest;
    assertEquals((await this.#process.status).code, 0);
  }
}

const links = (counts: string) => `document.getElementById("mesh").dataset.links === '${counts}'`;
const status = (node: string) => `document.querySelector('tr[data-node="${node}"]')?.dataset.status`;
const isTold = (kind: string, node: string) =>
  `[...document.querySelectorAll('#events li')].some((line) => line.dataset.kind === '${kind}' && line.textContent.includes('${node}'))`;

Deno.test({
  name: "The page of a local cluster: what is killed turns, what is cut shows, what heals heals, and start adds a node",
  ignore: chromiumPath === undefined,
  fn: async () => {
    await using cluster = await PagedCluster.start();
    await using page = await BrowserPage.open(cluster.url);
    const choose = (node: string) => page.evaluate(`document.querySelector('tr[data-node="${node}"]').click()`);
    const press = async (button: string) => {
      const found =
        `[...document.querySelectorAll('#actions button')].find((each) => each.textContent === '${button}')`;
      await page.until(`${found} !== undefined`);
      await page.evaluate(`${found}.click()`);
    };
    await page.until(links('{"u":3,"s":0,"d":0}'));

    await choose("b");
    await press("cut b");
    await page.until(links('{"u":1,"s":0,"d":2}'));
    assertEquals(await page.evaluate(status("b")), "suspect");
    await page.until(isTold("cut", "b"));
    await press("heal b");
    await page.until(links('{"u":3,"s":0,"d":0}'));
    assertEquals(await page.evaluate(status("b")), "up");

    await press("pause b");
    await page.until(`${status("b")} === "suspect"`);
    await press("resume b");
    await page.until(links('{"u":3,"s":0,"d":0}'));

    await choose("c");
    await press("kill c");
    await page.until(`${status("c")} === "down"`);
    await page.until(links('{"u":1,"s":0,"d":2}'));
    await press("start c");
    await page.until(links('{"u":3,"s":0,"d":0}'));

    await press("start another");
    await page.until(`${status("d")} === "up"`);
    await page.until(links('{"u":6,"s":0,"d":0}'));
    await choose("d");
    await press("leave d");
    await page.until(isTold("leave", "d"));
    await page.until(`${status("d")} === "down"`);
    assertEquals(page.complaints, []);
  },
});

Deno.test("The page of a local cluster does nothing without the token, nothing impossible, and nothing to nodes that are not", async () => {
  await using cluster = await PagedCluster.start();
  const { origin, hash } = new URL(cluster.url);
  const token = hash.slice("#token=".length);
  const act = async (body: unknown, headers: Record<string, string> = { authorization: `Bearer ${token}` }) => {
    const response = await fetch(`${origin}/page/act`, { method: "POST", headers, body: JSON.stringify(body) });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await act({ action: "kill", node: "a" }, {}), 401);
  assertEquals(await act({ action: "kill", node: "a" }, { authorization: "Bearer x" }), 401);
  assertEquals(await act({ action: "heal", node: "a" }), 409);
  assertEquals(await act({ action: "kill", node: "z" }), 404);
  assertEquals(await act({ action: "start", node: "z" }), 404);
  assertEquals(await act({ action: "kill" }), 400);
  assertEquals(await act({ action: "constructor", node: "a" }), 400);
  assertEquals(await act({ action: "kill", node: "a" }), 200);

  const events = await fetch(`${origin}/events`);
  assertEquals(events.headers.get("content-type"), "text/event-stream");
  const document = await (await fetch(`${origin}/page/cluster`)).json();
  assert(document.nodes.length === 3);
  assertEquals(document.nodes[0].state, "killed");
  await present(events.body).cancel();
});
