// Copyright 2026 the Partisan peer-service authors. MIT license.

import { testSeeds } from "./run_seeds.ts";

testSeeds(1, 2);
