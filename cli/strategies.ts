// Copyright 2026 the Partisan peer-service authors. MIT license.

import { fullMesh, type Strategy } from "../mod.ts";

/** The membership strategies that `--strategy` offers. */
export const strategies: Readonly<Record<string, () => Strategy>> = { fullMesh };
