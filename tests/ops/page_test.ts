// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type PeerServiceManager, startPeerService } from "../../mod.ts";
import { Groups } from "../../groups/mod.ts";
import { httpHandler } from "../../ops/mod.ts";
import type { NodeRow, Sight } from "../../ops/page/cluster_document.ts";
import { pageRoutes } from "../../ops/page/page_routes.ts";
import { type Route, routed } from "../../ops/routing.ts";
import { BrowserPage, chromiumPath } from "../chromium.ts";
import { forEachOf } from "../tuples.ts";
import { entryOf, firstOf, groupOf, takeOf } from "../values.ts";

const TOKEN = "token-for-tests";

/** A cluster over TCP, whose first node serves the page. */
class ServedCluster implements AsyncDisposable {
  readonly nodes = new Map<string, PeerServiceManager>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(first: PeerServiceManager) {
    this.nodes.set(first.name, first);
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, httpHandler(first, { token: TOKEN }));
  }

  static async start(names: readonly string[], metadata: Record<string, unknown> = {}): Promise<ServedCluster> {
    const cluster = new ServedCluster(await startNode(firstOf(names), metadata));
    for (const name of names.slice(1)) await cluster.join(name);
    return cluster;
  }

  async join(name: string): Promise<void> {
    const node = await startNode(name);
    // It answers what it sees, as every node with a handler does.
    httpHandler(node);
    await node.syncJoin(firstOf([...this.nodes.values()]).spec);
    this.nodes.set(name, node);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.stop()));
    await this.#server.shutdown();
  }
}

function startNode(name: string, metadata: Record<string, unknown> = {}): Promise<PeerServiceManager> {
  return startPeerService({ name, metadata, preset: "local", allow: { faultInjection: true } });
}

/** Serves the page with a document of so many nodes that are not there: one is down, one in doubt. */
function servedDocument(count: number): { readonly url: string } & AsyncDisposable {
  const names = Array.from({ length: count }, (_, index) => `node-${index}`);
  const at = Date.now();
  const [down, suspect] = [Math.floor(0.6 * count), Math.floor(0.3 * count)];
  const sightOf = (name: string): Sight => name === names[down] ? "d" : "u";
  const nodes = names.map((name, index): NodeRow => {
    const others = names.filter((other) => other !== name);
    const status = index === down ? "down" : index === suspect ? "suspect" : "up";
    return {
      ...{ name, status, state: status, since: at, reason: "it is connected", addresses: [], attributes: {} },
      ...{ groups: [], actions: [] },
      view: {
        sees: Object.fromEntries(others.map((other) => [other, sightOf(other)])),
        roundTrips: Object.fromEntries(others.map((other, place) => [other, place])),
        ...{ queuedBytes: 1_000, sent: index, delivered: index, bytesIn: 1, bytesOut: 1, handlers: [] },
      },
    };
  });
  const document = { at, title: "made up", self: firstOf(names), isFullMesh: true, nodes, actions: [] };
  const routes = new Map<string, Route>([
    ...pageRoutes({ document: () => Promise.resolve(document), act: () => new Response() }),
    ["/events", { GET: () => new Response("", { headers: { "content-type": "text/event-stream" } }) }],
  ]);
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, routed(routes, { token: undefined, names: new Set() }));
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const links = (counts: string) => `document.getElementById("mesh").dataset.links === '${counts}'`;
/** Whether a colour is somewhere in the picture of the mesh. */
const isDrawnIn = (colour: readonly number[]) =>
  `(() => {
  const canvas = document.getElementById("mesh");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((_, at) => at % 4 === 0 && ${
    JSON.stringify(colour)
  }.every((part, index) => data[at + index] === part));
})()`;

const status = (node: string) => `document.querySelector('tr[data-node="${node}"]')?.dataset.status`;

Deno.test({
  name:
    "The page shows which nodes see each other: what is cut shows, what heals heals, what is stopped turns, and what is said is text",
  ignore: chromiumPath === undefined,
  fn: async () => {
    await using cluster = await ServedCluster.start(["a", "b", "c", "<img src=x onerror=alert(1)>"]);
    const [a, b] = takeOf([...cluster.nodes.values()], 2);
    await using page = await BrowserPage.open(cluster.url);
    await page.until(links('{"u":6,"s":0,"d":0}'));
    const names = await page.evaluate(
      "[...document.querySelectorAll('#members tr')].map((row) => row.cells[0].textContent)",
    );
    assertEquals(names, ["<img src=x onerror=alert(1)>", "a (this one)", "b", "c"]);
    assertEquals(await page.evaluate("document.images.length"), 0);

    const cut = await b.injectPartition("b", 0);
    await page.until(`${status("b")} === "down" && JSON.parse(document.getElementById("mesh").dataset.links).d >= 1`);
    b.resolvePartition(cut);
    await page.until(links('{"u":6,"s":0,"d":0}'));
    assertEquals(await page.evaluate(status("b")), "up");

    await entryOf(cluster.nodes, "c").stop();
    cluster.nodes.delete("c");
    await page.until(`${status("c")} === "down"`);
    await page.until(links('{"u":3,"s":0,"d":3}'));
    await page.until(
      "[...document.querySelectorAll('#events li')].some((line) => line.dataset.kind === 'down' && line.textContent.includes('c'))",
    );
    await a.leave("c");
    await page.until(links('{"u":3,"s":0,"d":0}'));
    assertEquals(page.complaints, []);
  },
});

Deno.test({
  name:
    "The page is read-only without the token; with it the node drains, and the page says that no node answers any more",
  ignore: chromiumPath === undefined,
  fn: async () => {
    await using cluster = await ServedCluster.start(["a", "b"]);
    const choose = "document.querySelector('tr[data-node=\"a\"]').click()";
    {
      await using page = await BrowserPage.open(cluster.url);
      await page.until(status("a"));
      await page.evaluate(choose);
      assertEquals(await page.evaluate("document.querySelectorAll('#actions button').length"), 0);
      const answer = await page.evaluate<number>(
        "fetch('page/act', { method: 'POST', body: '{\"action\":\"drain\"}' }).then(({ status }) => status)",
      );
      assertEquals(answer, 401);
    }
    await using page = await BrowserPage.open(
      `${cluster.url}#token=${TOKEN}`,
    );
    await page.until(status("a"));
    await page.evaluate(choose);
    await page.until("document.querySelector('#actions button')?.textContent === 'drain a'");
    await page.evaluate("document.querySelector('#actions button').click()");
    await page.until(
      "document.querySelectorAll('#members tr').length === 1 || document.getElementById('link').dataset.ok === 'false'",
    );
    assertEquals(entryOf(cluster.nodes, "b").members(), ["b"]);
  },
});

Deno.test({
  name: "The page works by keyboard, in light and dark, and nothing in it moves when nodes come and go",
  ignore: chromiumPath === undefined,
  fn: async () => {
    await using cluster = await ServedCluster.start(["a", "b", "c"], { zone: "here" });
    for (const dark of [false, true]) {
      await using page = await BrowserPage.open(cluster.url, { dark });
      await page.until(status("c"));
      const boxes =
        "JSON.stringify([...document.querySelectorAll('section')].map((box) => box.getBoundingClientRect()))";
      const before = await page.evaluate<string>(boxes);
      await page.evaluate("document.querySelector('#members tr').focus()");
      for (const key of ["ArrowDown", "ArrowDown"]) await page.press(key);
      assertEquals(await page.evaluate("document.activeElement.dataset.node"), "c");
      assertEquals(await page.evaluate("document.getElementById('detail-title').textContent"), "c");
      await page.press("Home");
      assertEquals(await page.evaluate("document.activeElement.dataset.node"), "a");
      await cluster.join(dark ? "e" : "d");
      await page.until(status(dark ? "e" : "d"));
      assertEquals(await page.evaluate("document.activeElement.dataset.node"), "a");
      assertEquals(await page.evaluate<string>(boxes), before);
      assert(
        await page.evaluate<boolean>(isDrawnIn(dark ? [76, 195, 138] : [26, 127, 75])),
        "nodes that are up are green",
      );
      const ground = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      assertEquals(ground, dark ? "rgb(22, 24, 28)" : "rgb(251, 251, 249)");
      assertEquals(page.complaints, []);
    }
  },
});

Deno.test({
  name: "The page names the groups and the handlers of a node, and its longest round trips",
  ignore: chromiumPath === undefined,
  fn: async () => {
    await using cluster = await ServedCluster.start(["a", "b"]);
    const b = entryOf(cluster.nodes, "b");
    b.register("adder", () => 3);
    using _worker = new Groups(b).join("workers");
    using _mailer = new Groups(b, { scope: "mail" }).join("mailers");
    await using page = await BrowserPage.open(cluster.url);
    await page.until(status("b"));
    await page.evaluate("document.querySelector('tr[data-node=\"b\"]').click()");
    const fact = (term: string) =>
      `[...document.querySelectorAll('#facts dt')].find((one) => one.textContent === '${term}').nextSibling.textContent`;
    await page.until(`${fact("groups")} === "mailers (mail), workers"`);
    await page.until(`${fact("handlers")}.includes("adder")`);
    await page.until(`/^a [0-9.]+ ms$/.test(${fact("round trips")})`);
    const terms = await page.evaluate<string[]>(
      "[...document.querySelectorAll('#facts dt')].map((one) => one.textContent)",
    );
    assert(!terms.some((term) => term.startsWith("g/")), "how groups are told is no attribute of the user's");
  },
});

Deno.test({
  name:
    "The list of events can be scrolled back: what is read stays where it is when more comes, and a kind can be chosen",
  ignore: chromiumPath === undefined,
  fn: async () => {
    await using cluster = await ServedCluster.start(["a"]);
    const a = entryOf(cluster.nodes, "a");
    await using page = await BrowserPage.open(cluster.url);
    const count = (from: number) => `document.querySelectorAll('#events li[data-kind="attribute"]').length >= ${from}`;
    // Nothing that comes before the page listens is told.
    a.setAttribute("first", 0);
    for (let tries = 0; !await page.evaluate<boolean>(count(1)); tries++) a.setAttribute("first", tries + 1);
    for (let value = 0; value < 60; value++) a.setAttribute("load", value);
    await page.until("document.getElementById('events').textContent.includes('value 59')");
    const scroll = "document.getElementById('events').parentElement";
    await page.evaluate(`${scroll}.scrollTop = 400`);
    const top =
      `document.elementFromPoint(${scroll}.getBoundingClientRect().left + 20, ${scroll}.getBoundingClientRect().top + 20).closest("li").textContent`;
    await page.evaluate(`${scroll}.scrollIntoView()`);
    const read = await page.evaluate<string>(top);
    assertStringIncludes(read, "attribute");
    for (let value = 60; value < 90; value++) a.setAttribute("load", value);
    await page.until("document.getElementById('events').textContent.includes('value 89')");
    assertEquals(await page.evaluate<string>(top), read);
    await page.evaluate(
      `document.getElementById("filter").value = "up"; document.getElementById("filter").dispatchEvent(new Event("change"))`,
    );
    assert(await page.evaluate<boolean>("[...document.querySelectorAll('#events li')].every((line) => line.hidden)"));
  },
});

for (const count of [5, 40, 200]) {
  Deno.test({
    name: `The page of ${count} nodes is readable: no name covers another one or is cut off, and no heading is`,
    ignore: chromiumPath === undefined,
    fn: async () => {
      await using served = servedDocument(count);
      await using page = await BrowserPage.open(served.url);
      await page.until(`document.querySelectorAll('#members tr').length === ${count}`);
      await page.evaluate("document.querySelector('#members tr:last-child').click()");
      const headings = await page.evaluate(
        "[...document.querySelectorAll('th')].filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)",
      );
      assertEquals(headings, []);
      assert(
        await page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth"),
        "nothing sticks out",
      );
      const width = await page.evaluate<number>("document.getElementById('mesh').clientWidth");
      const labels = await page.evaluate<[string, number, number, number][]>(
        "JSON.parse(document.getElementById('mesh').dataset.labels)",
      );
      for (const [name, left, right, y] of labels) {
        assert(left >= 0 && right <= width && y >= 6 && y <= width - 6, `${name} is cut off`);
        const covered = labels.find((other) =>
          other[0] !== name && left < other[2] && other[1] < right && Math.abs(y - other[3]) < 12
        );
        assertEquals(covered, undefined, name);
      }
      const names = labels.map(([name]) => name);
      assertEquals(names[0], `node-${count - 1}`, "the chosen one has its name");
      for (const part of [0.3, 0.6]) assert(names.includes(`node-${Math.floor(part * count)}`), "and what is not well");
      assert(count > 5 || names.length === 5, "few nodes all have their names");
      // By keyboard to both ends, and up: the row that has the focus is in sight, and not behind the heading.
      for (
        const [key, times, node] of [["Home", 1, 0], ["End", 1, count - 1], [
          "ArrowUp",
          20,
          Math.max(0, count - 21),
        ]] as const
      ) {
        for (let time = 0; time < times; time++) await page.press(key);
        assertEquals(await page.evaluate("document.activeElement.dataset.node"), `node-${node}`);
        const isInSight = await page.evaluate<boolean>(`(() => {
          const row = document.activeElement.getBoundingClientRect();
          const box = document.activeElement.closest(".scroll").getBoundingClientRect();
          return row.top >= document.querySelector("th").getBoundingClientRect().bottom - 1 && row.bottom <= box.bottom;
        })()`);
        assert(isInSight, `node-${node}`);
      }
      assertEquals(page.complaints, []);
    },
  });
}

Deno.test("The page is one document without anything from elsewhere, and what is shown cannot become a part of it", async () => {
  await using node = await startPeerService({ name: "a", preset: "local" });
  const handler = httpHandler(node);
  const [first, second] = await Promise.all(
    forEachOf(["/", "/page"], async (path) => await handler(new Request(`http://localhost${path}`))),
  );
  const text = await first.text();
  assertEquals([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target), ["data:,"]);
  const policy = entryOf(first.headers, "content-security-policy");
  const nonce = groupOf(policy, /script-src 'nonce-([^']+)'/);
  assertStringIncludes(text, `<script type="module" nonce="${nonce}">`);
  assert(!policy.includes("unsafe"));
  assert(policy !== second.headers.get("content-security-policy"), "each answer has a nonce of its own");
  await second.body?.cancel();
});
