// Copyright 2026 the Partisan peer-service authors. MIT license.

import { BOOLEAN, checkOptions, type OptionKind, type OptionKinds } from "../../runtime/options.ts";
import type { CutConnects } from "./memory_links.ts";

/** A latency that is always the same, or is drawn. */
export const LATENCY: OptionKind = [
  "a number or a function",
  (value) => typeof value === "number" || typeof value === "function",
];

const CUT_KINDS: OptionKinds<{ connects?: CutConnects }> = {
  connects: ['"hang" or "refuse"', (value) => value === "hang" || value === "refuse"],
};
const CRASH_KINDS: OptionKinds<{ reset?: boolean }> = { reset: BOOLEAN };

/** Fate of attempts to connect across a cut. @throws {TypeError} When the options of the cut can be none. */
export function connectsAcross(options: { connects?: CutConnects } | undefined): CutConnects {
  return checkOptions("Cannot cut", options, CUT_KINDS).connects ?? "hang";
}

/** Whether the machine of a host that crashes resets its streams. @throws {TypeError} When the options of the crash can be none. */
export function isReset(host: string, options: { readonly reset?: boolean } | undefined): boolean {
  return checkOptions(`Cannot crash "${host}"`, options, CRASH_KINDS).reset ?? false;
}
