// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Whether the largest clusters are measured as well, which takes a minute: `deno task budgets` asks for that. */
export const IS_FULL_SIZE: boolean = Deno.args.includes("--full");
