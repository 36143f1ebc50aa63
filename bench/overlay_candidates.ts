// Copyright 2026 the Partisan peer-service authors. MIT license.

import { fullMesh } from "../strategy/full_mesh.ts";
import { hyparview } from "../strategy/hyparview.ts";
import { scampV1 } from "../strategy/scamp_v1.ts";
import { scampV2 } from "../strategy/scamp_v2.ts";
import type { Candidate } from "./overlay_measurements.ts";

/** SCAMP's parameter: that of the HyParView paper's comparison. */
const C = 4;
const SIZES = [100, 1_000, 10_000];

const SCAMP = {
  sizes: SIZES,
  law: (size: number) => (C + 1) * Math.log(size),
  lawName: `${C + 1} · ln(N)`,
};

/** Overlays that are measured, each with the contacts for newcomers that it is meant for. */
export const CANDIDATES: readonly Candidate[] = [
  { name: "fullMesh()", create: () => fullMesh(), sizes: [100, 300, 1_000], hasRandomContacts: false },
  {
    name: "hyparview()",
    create: () => hyparview(),
    sizes: SIZES,
    hasRandomContacts: false,
    killed: [0.3, 0.6, 0.8],
  },
  { name: "hyparview(), in a rush", create: () => hyparview(), sizes: [1_000], hasRandomContacts: false, joinMs: 0 },
  { name: `scampV1({ c: ${C} })`, create: () => scampV1({ c: C }), hasRandomContacts: true, ...SCAMP },
  { name: `scampV2({ c: ${C} })`, create: () => scampV2({ c: C }), hasRandomContacts: false, ...SCAMP },
];
