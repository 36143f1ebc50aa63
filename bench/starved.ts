// Copyright 2026 the Partisan peer-service authors. MIT license.
// deno-lint-ignore-file no-console -- A program that speaks to its user.

/**
 * A process of many nodes that gets a share of a core while they get to know each other: it is stopped for most of each tenth of a second.
 * Usage: `deno task starved [--nodes=64] [--share=10] [--period=100] [--seconds=60]`.
 *
 * @module
 */

const USAGE = "Usage: deno task starved [--nodes=N] [--share=PERCENT] [--period=MILLISECONDS] [--seconds=N]";

const settings = { nodes: 64, share: 10, period: 100, seconds: 60 };
for (const arg of Deno.args) {
  const [, name, value] = /^--(nodes|share|period|seconds)=(\d+)$/.exec(arg) ?? [];
  if (name === undefined) {
    console.error(`Cannot starve a process: unknown argument "${arg}". ${USAGE}`);
    Deno.exit(2);
  }
  settings[name as keyof typeof settings] = Number(value);
}
const { nodes, share, period, seconds } = settings;
const child = new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", new URL("starved_child.ts", import.meta.url).pathname, `${nodes}`, `${seconds}`],
  stdout: "inherit",
  stderr: "inherit",
}).spawn();
let isOver = false;
child.status.then(() => isOver = true);
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const send = (signal: Deno.Signal) => {
  try {
    child.kill(signal);
  } catch {
    // It has ended meanwhile.
  }
};
// Until it has loaded what it runs.
await wait(1_000);
while (!isOver && share < 100) {
  send("SIGSTOP");
  await wait(period * (100 - share) / 100);
  send("SIGCONT");
  await wait(period * share / 100);
}
Deno.exit((await child.status).code);
