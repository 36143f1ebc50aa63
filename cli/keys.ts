// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { NodeModel } from "./cluster_model.ts";
import type { ControlKind } from "./supervisor.ts";

/** State of the screen that keys change. */
export interface Panel {
  /** The node that the keys act upon. */
  readonly selected: string | undefined;
  /** Whether the help is shown. */
  readonly help: boolean;
}

/** Request of a key to the cluster. Without a node, `start` means a new one. */
export type KeyRequest =
  | { readonly kind: "quit" }
  | { readonly kind: ControlKind; readonly node: string | undefined };

const controls = new Map<string, ControlKind>([["k", "kill"], ["p", "pause"], ["r", "resume"], ["c", "cut"], [
  "h",
  "heal",
], ["l", "leave"]]);
const arrows = new Map([["A", "up"], ["B", "down"], ["C", "down"], ["D", "up"]]);

/** Splits what the terminal sends into keys: characters, `up`, `down` or `ctrl-c`. */
export function parseKeys(text: string): string[] {
  // An arrow is ESC [ A, or ESC O A in application mode; other escape sequences are skipped.
  // deno-lint-ignore no-control-regex
  return [...text.matchAll(/\x1b[[O]([\d;]*)([A-Za-z~])|\x1b|\x03|[^\x1b\x03]/g)].flatMap(
    ([whole, modifiers, final]) => {
      if (final !== undefined) return modifiers === "" ? arrows.get(final) ?? [] : [];
      if (whole === "\x1b") return [];
      return [whole === "\x03" ? "ctrl-c" : whole];
    },
  );
}

/** Effect of a key. */
export function pressKey(
  panel: Panel,
  key: string,
  nodes: readonly NodeModel[],
): { readonly panel: Panel; readonly request?: KeyRequest } {
  const index = nodes.findIndex(({ name }) => name === panel.selected);
  const select = (target: number) => ({ panel: { ...panel, selected: nodes[target]?.name ?? panel.selected } });
  if (key === "q" || key === "ctrl-c") return { panel, request: { kind: "quit" } };
  if (key === "?") return { panel: { ...panel, help: !panel.help } };
  if (key === "up") return select(index - 1);
  if (key === "down") return select(index + 1);
  if (/^[1-9]$/.test(key)) return select(Number(key) - 1);
  if (key === "s") return { panel, request: { kind: "start", node: restartable(nodes[index]) } };
  const kind = controls.get(key);
  return kind === undefined || index < 0 ? { panel } : { panel, request: { kind, node: panel.selected } };
}

function restartable(node: NodeModel | undefined): string | undefined {
  return node && ["killed", "left", "failed"].includes(node.state) ? node.name : undefined;
}
