// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CONNECTION_INSTRUMENTS } from "./connection_instruments.ts";
import type { Instrument } from "./instrument_types.ts";
import { MEMBERSHIP_INSTRUMENTS } from "./membership_instruments.ts";
import { MESSAGE_INSTRUMENTS } from "./message_instruments.ts";

/** All that can be measured about a node. `docs/metrics.md` says of each what to do when it looks wrong. */
export const INSTRUMENTS: readonly Instrument[] = [
  ...MEMBERSHIP_INSTRUMENTS,
  ...CONNECTION_INSTRUMENTS,
  ...MESSAGE_INSTRUMENTS,
];
