// Copyright 2026 the Partisan peer-service authors. MIT license.

import { checkSeeds } from "./run_seeds.ts";
import { SEEDS_OVER_OVERLAYS } from "./seeds.ts";

Deno.test(`overlays keep their promises under faults: ${SEEDS_OVER_OVERLAYS.length} seeds`, () =>
  checkSeeds(SEEDS_OVER_OVERLAYS));
