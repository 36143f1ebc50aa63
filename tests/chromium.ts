// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * A headless Chromium for tests of pages, by its DevTools protocol. `.ci/run` installs it from Debian where it can; elsewhere such tests are
 * visibly ignored.
 *
 * @module
 */

const NAMES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of the installed browser; `undefined` where it is not. */
export const chromiumPath: string | undefined = NAMES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** Answer of one command. */
type Answer = Record<string, unknown>;

/** One page in a browser of its own. */
export class BrowserPage implements AsyncDisposable {
  /** Errors of the page's scripts and what it wrote to its console. */
  readonly complaints: string[] = [];
  readonly #ended: () => Promise<void>;
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, PromiseWithResolvers<Answer>>();
  #commands = 0;
  #session: string | undefined;

  private constructor(socket: WebSocket, ended: () => Promise<void>) {
    this.#ended = ended;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
  }

  /** Opens a page, and waits until it is loaded. */
  static async open(
    url: string,
    { width = 1280, height = 900, dark = false }: { width?: number; height?: number; dark?: boolean } = {},
  ): Promise<BrowserPage> {
    if (chromiumPath === undefined) throw new Error("Cannot open a page: there is no Chromium");
    const profile = await Deno.makeTempDir({ prefix: "chromium-" });
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    const own = ["--remote-debugging-port=0", `--user-data-dir=${profile}`, `--window-size=${width},${height}`];
    const args = [...flags, ...own, "about:blank"];
    const process = new Deno.Command(chromiumPath, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const { address, ended } = listened(process.stderr);
    const socket = new WebSocket(await address);
    await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
    const page = new BrowserPage(socket, async () => {
      await Promise.all([ended, process.status]);
      await Deno.remove(profile, { recursive: true });
    });
    const { targetId } = await page.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = sessionId as string;
    for (const domain of ["Page", "Runtime", "Log"]) await page.send(`${domain}.enable`);
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
    await page.send("Emulation.setEmulatedMedia", { features });
    await page.send("Page.navigate", { url });
    return page;
  }

  /** Value of an expression of the page. Promises are waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: { text: string } };
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Waits until an expression of the page is true: the page itself looks, at each of its frames. */
  async until(expression: string, patience = 20_000): Promise<void> {
    const isSo = await this.evaluate<boolean>(`new Promise((resolve) => {
      const end = performance.now() + ${patience};
      const look = () => {
        let holds = false;
        try { holds = Boolean(${expression}); } catch { /* not there yet */ }
        if (holds || performance.now() > end) resolve(holds); else setTimeout(look, 20);
      };
      look();
    })`);
    if (!isSo) {
      throw new Error(`It never came to this: ${expression}\n${await this.evaluate("document.body.innerText")}`);
    }
  }

  /** Presses a key. */
  async press(key: string): Promise<void> {
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key });
  }

  /** Picture of the page, as a PNG file. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Uint8Array.from(atob(data as string), (character) => character.charCodeAt(0));
  }

  /** Sends a command, and waits for its answer. */
  send(method: string, params: Record<string, unknown> = {}): Promise<Answer> {
    const id = ++this.#commands;
    const answer = Promise.withResolvers<Answer>();
    this.#pending.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return answer.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#session = undefined;
    this.send("Browser.close").catch(() => {});
    await Promise.all([closed, this.#ended()]);
  }

  #take({ id, result, error, method, params }: Answer): void {
    if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded" || method === "Runtime.consoleAPICalled") {
      this.complaints.push(JSON.stringify(params));
    }
    const pending = this.#pending.get(id as number);
    if (pending === undefined) return;
    this.#pending.delete(id as number);
    if (error === undefined) pending.resolve(result as Answer);
    else pending.reject(new Error(JSON.stringify(error)));
  }
}

/** Reads what the browser says until it ends: among it, where it listens. */
function listened(stderr: ReadableStream<Uint8Array>): { address: Promise<string>; ended: Promise<void> } {
  const address = Promise.withResolvers<string>();
  let text = "";
  const ended = stderr.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write: (chunk) => {
        text += chunk;
        const [, found] = /DevTools listening on (ws:\S+)/.exec(text) ?? [];
        if (found !== undefined) address.resolve(found);
      },
      close: () => address.reject(new Error(`Cannot open a page: Chromium ended\n${text}`)),
    }),
  );
  return { address: address.promise, ended };
}
