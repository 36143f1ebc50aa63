// Copyright 2026 the Partisan peer-service authors. MIT license.

import type { ContestantName, Link } from "./contestant.ts";
import * as echo from "./echo_child.ts";
import * as flood from "./flood_child.ts";
import * as headOfLine from "./head_of_line_child.ts";
import { openRelay } from "./link_relay.ts";
import * as mesh from "./mesh_child.ts";
import * as plainEcho from "./plain_echo.ts";
import * as replies from "./replies_child.ts";
import * as scale from "./scale_child.ts";
import * as simulated from "./simulated_child.ts";
import type { Stage } from "./stage.ts";
import * as stream from "./stream_child.ts";
import * as rawStream from "./stream_raw_child.ts";

/** No arguments. */
export type Nothing = Record<never, never>;

/** All that the processes of a measurement can be told to do. */
export const COMMANDS = {
  open: (stage: Stage, args: { contestant: ContestantName; link: Link }) => stage.open(args),
  listen: ({ end }: Stage, _: Nothing) => end.listen(),
  connect: ({ end }: Stage, { address }: { address: string }) => end.connect(address),
  ...echo,
  ...flood,
  ...headOfLine,
  ...mesh,
  openRelay,
  ...plainEcho,
  ...rawStream,
  ...replies,
  ...scale,
  ...simulated,
  ...stream,
};

export type CommandName = keyof typeof COMMANDS;
export type CommandArgs<Name extends CommandName> = Parameters<typeof COMMANDS[Name]>[1];
export type CommandResult<Name extends CommandName> = Awaited<ReturnType<typeof COMMANDS[Name]>>;
