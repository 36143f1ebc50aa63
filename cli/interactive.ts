// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ClusterOptions } from "./cluster_options.ts";
import { type KeyRequest, type Panel, pressKey } from "./keys.ts";
import { renderScreen } from "./screen.ts";
import { RefusedError, type Supervisor } from "./supervisor.ts";
import { Terminal } from "./terminal.ts";
import { untilAborted } from "./until_aborted.ts";

/** Rates and the clock change even when nothing else does. */
const REDRAW_INTERVAL_MS = 250;

/** Options of the interactive run, with the line to show at the bottom. */
type InteractiveOptions = ClusterOptions & { /** At the bottom, until a key is pressed. */ readonly notice: string };

/** Shows the cluster of `supervisor` live and obeys the keys, until `q` is pressed or `signal` is aborted. */
export async function runInteractive(
  supervisor: Supervisor,
  options: InteractiveOptions,
  signal: AbortSignal,
): Promise<void> {
  using terminal = new Terminal();
  const dashboard = new Dashboard(supervisor, options, terminal);
  terminal.onResize = () => dashboard.draw();
  const timer = setInterval(() => dashboard.draw(), REDRAW_INTERVAL_MS);
  try {
    dashboard.draw();
    for await (const key of untilAborted(terminal.keys(), signal)) {
      if (!dashboard.press(key)) return;
      dashboard.draw();
    }
  } finally {
    clearInterval(timer);
  }
}

class Dashboard {
  readonly #supervisor: Supervisor;
  readonly #options: InteractiveOptions;
  readonly #terminal: Terminal;
  readonly #beginning = Date.now();
  #panel: Panel;
  #notice: string;

  constructor(supervisor: Supervisor, options: InteractiveOptions, terminal: Terminal) {
    this.#supervisor = supervisor;
    this.#options = options;
    this.#terminal = terminal;
    this.#notice = options.notice;
    this.#panel = { selected: supervisor.model.nodes.keys().next().value, help: false };
  }

  draw(): void {
    const { strategy, preset, color } = this.#options;
    const view = {
      ...this.#panel,
      model: this.#supervisor.model,
      title: `Partisan peer service: ${strategy}, preset ${preset}`,
      notice: this.#notice,
      beginning: this.#beginning,
      now: Date.now(),
    };
    this.#terminal.draw(renderScreen(view, this.#terminal.size, color));
  }

  /** Obeys a key. Returns whether to go on. */
  press(key: string): boolean {
    const { panel, request } = pressKey(this.#panel, key, [...this.#supervisor.model.nodes.values()]);
    this.#panel = panel;
    this.#notice = "";
    if (request?.kind === "quit") return false;
    if (request !== undefined) this.#perform(request);
    return true;
  }

  #perform({ kind, node }: Exclude<KeyRequest, { kind: "quit" }>): void {
    try {
      if (kind === "start") this.#panel = { ...this.#panel, selected: this.#supervisor.start(node) };
      else this.#supervisor[kind](node!);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#notice = error.message;
    }
  }
}
