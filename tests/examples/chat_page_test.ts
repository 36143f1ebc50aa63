// Copyright 2026 the Partisan peer-service authors. MIT license.

import { startPeerService } from "@partisan/peer-service";
import { assertEquals } from "@std/assert";
import { answer, Chat } from "../../examples/chat.ts";

/** Where Debian puts it. */
const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"];

function isInstalled(): boolean {
  try {
    return Deno.statSync(CHROMIUM).isFile;
  } catch {
    return false;
  }
}

/** A headless Chromium, driven by the DevTools protocol. */
class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: Record<string, unknown>) => void>();
  #count = 0;

  private constructor(process: Deno.ChildProcess, socket: WebSocket) {
    this.#process = process;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      this.#answers.get(id)?.(result);
    };
  }

  static async start(): Promise<Browser> {
    const profile = `--user-data-dir=${await Deno.makeTempDir()}`;
    const process = new Deno.Command(CHROMIUM, { args: [...FLAGS, profile], stdout: "null", stderr: "piped" }).spawn();
    let [told, url] = ["", ""];
    const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
    while (url === "") {
      const { value, done } = await reader.read();
      if (done) throw new Error(`Cannot start Chromium: ${told}`);
      told += value;
      url = /DevTools listening on (ws:\S+)\s/.exec(told)?.[1] ?? "";
    }
    await reader.cancel();
    const socket = new WebSocket(url);
    await new Promise((resolve) => socket.onopen = resolve);
    return new Browser(process, socket);
  }

  /** Opens a page. @returns Evaluates an expression in it, and waits for its promise. */
  async open(url: string): Promise<(expression: string) => Promise<unknown>> {
    const { targetId } = await this.#send("Target.createTarget", { url });
    const { sessionId } = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    return async (expression) => {
      const given = { expression, awaitPromise: true, returnByValue: true };
      // While the page is being loaded, there is none that could answer.
      for (;;) {
        const evaluated = await this.#send("Runtime.evaluate", given, sessionId);
        if (evaluated !== undefined) return (evaluated.result as { value?: unknown }).value;
      }
    };
  }

  #send(method: string, params: unknown, sessionId?: unknown): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    const answered = new Promise<Record<string, unknown>>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return answered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.#send("Browser.close", {});
    await Promise.all([closed, this.#process.status]);
  }
}

/** An expression that resolves once something is so in the page. */
function until(condition: string): string {
  return `new Promise((resolve) => { const look = () => ${condition} ? resolve(true) : setTimeout(look, 20); look(); })`;
}

Deno.test({
  name: "The page of the chat shows who is there and what is said, on two nodes, in Chromium",
  ignore: !isInstalled(),
  async fn() {
    await using a = await startPeerService({ name: "a", listen: "127.0.0.1:0", preset: "local" });
    await using b = await startPeerService({ name: "b", listen: "127.0.0.1:0", preset: "local" });
    await b.syncJoin(a.spec);
    const servers = [a, b].map((node) => {
      const chat = new Chat(node);
      return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => answer(chat, request));
    });
    {
      await using browser = await Browser.start();
      const [ada, bob] = [
        await browser.open(`http://127.0.0.1:${servers[0]?.addr.port}/?user=ada`),
        await browser.open(`http://127.0.0.1:${servers[1]?.addr.port}/?user=bob`),
      ];
      const both = until(`document.getElementById("users")?.textContent === "ada, bob"`);
      assertEquals([await ada(both), await bob(both)], [true, true]);
      await bob(`document.getElementById("text").value = "<b>hello</b>"; document.querySelector("button").click()`);
      await ada(until(`document.querySelector("li") !== null`));
      assertEquals(await ada(`document.getElementById("lines").textContent`), "bob: <b>hello</b>");
      await bob(`location.href = "about:blank"`);
      assertEquals(await ada(until(`document.getElementById("users").textContent === "ada"`)), true);
    }
    await Promise.all(servers.map((server) => server.shutdown()));
  },
});
