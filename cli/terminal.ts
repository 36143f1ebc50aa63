// Copyright 2026 the Partisan peer-service authors. MIT license.

import { parseKeys } from "./keys.ts";
import { writeText } from "./output.ts";
import type { ScreenSize } from "./screen.ts";

/** Size that is assumed for a terminal that does not tell its own: a serial line, or a container without a window. */
const USUAL: ScreenSize = { columns: 80, rows: 24 };
const hasResizeSignal = Deno.build.os !== "windows";

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/**
 * The terminal while the cluster is shown: alternate screen, no cursor, keys as they are pressed. Disposing of it
 * brings the terminal back as it was; so does an uncaught error.
 */
export class Terminal implements Disposable {
  #active = true;
  /** Called when its size has changed. */
  onResize: () => void = () => {};
  readonly #resized = () => this.onResize();
  readonly #restore = () => this[Symbol.dispose]();

  /** Takes the terminal over. */
  constructor() {
    globalThis.addEventListener("error", this.#restore);
    globalThis.addEventListener("unhandledrejection", this.#restore);
    if (hasResizeSignal) Deno.addSignalListener("SIGWINCH", this.#resized);
    Deno.stdin.setRaw(true);
    writeText(ENTER);
  }

  /** Its size now. */
  get size(): ScreenSize {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
  }

  /** Replaces what is shown. */
  draw(lines: readonly string[]): void {
    if (this.#active) writeText(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
  }

  /** The keys that are pressed, until there are no more. */
  async *keys(): AsyncGenerator<string> {
    const buffer = new Uint8Array(256);
    const decoder = new TextDecoder();
    for (let length; (length = await Deno.stdin.read(buffer)) !== null;) {
      yield* parseKeys(decoder.decode(buffer.subarray(0, length), { stream: true }));
    }
  }

  [Symbol.dispose](): void {
    if (!this.#active) return;
    this.#active = false;
    globalThis.removeEventListener("error", this.#restore);
    globalThis.removeEventListener("unhandledrejection", this.#restore);
    if (hasResizeSignal) Deno.removeSignalListener("SIGWINCH", this.#resized);
    writeText(LEAVE);
    Deno.stdin.setRaw(false);
  }
}
