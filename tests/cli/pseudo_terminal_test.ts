// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { startPeerService } from "../../mod.ts";
import { serveAdmin } from "../../ops/admin.ts";
import { isInstalled } from "../installed.ts";
import { Desk, MAIN } from "./desk.ts";
import { PseudoTerminal, type TerminalSize, whyNoPseudoTerminal } from "./pseudo_terminal.ts";
import { nthOf } from "../values.ts";

const COLOR = "\x1b[32m";

/** A test in a pseudo-terminal; where there is none, its name says why it is ignored. */
function terminalTest(name: string, fn: () => Promise<void>): void {
  const reason = whyNoPseudoTerminal === null ? "" : ` (ignored: ${whyNoPseudoTerminal})`;
  Deno.test({ name: `${name}${reason}`, ignore: whyNoPseudoTerminal !== null, fn });
}

function partisan(args: readonly string[], size: TerminalSize, environment?: Record<string, string>): PseudoTerminal {
  const program = [Deno.execPath(), "run", "-A", "--no-prompt", "--no-check", "--no-config", MAIN, ...args];
  return new PseudoTerminal(program, size, environment);
}

/** A node `a` that knows `b`, with an admin endpoint. */
async function attachable() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await Deno.makeTempDir(), (path) => Deno.remove(path, { recursive: true }));
  const a = stack.use(await startPeerService({ name: "a", log: false }));
  const b = stack.use(await startPeerService({ name: "b", log: false, preset: "local" }));
  await a.join(b.spec);
  const admin = stack.use(await serveAdmin(a, { path: `${folder}/a.sock` }));
  const rest = stack.move();
  return { a, b, admin, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

terminalTest("top is drawn live, anew at each size of the window, and q gives the terminal back", async () => {
  await using cluster = await attachable();
  await using terminal = partisan(["top", "--admin", cluster.admin.address, "--interval", "100"], {
    columns: 100,
    rows: 30,
  });
  const lines = await terminal.shows(/2 of 2 members up/);
  assertMatch(nthOf(lines, 1), /^node +status +since +round trip +connections +queued +in B\/s +out B\/s$/);
  assert(terminal.output.includes(COLOR), "what is up is green");
  await terminal.resize({ columns: 20, rows: 3 });
  assertEquals((await terminal.shows(/\nand 2 more/)).map(({ length }) => length), [20, 20, 20]);
  await cluster.b.leave();
  await terminal.shows(/1 of 1 members up/);
  await terminal.type("q");
  assertEquals(await terminal.end(), { code: 0, restored: true });
});

terminalTest(
  "top takes a terminal that tells no size for 80 × 24, and is drawn anew at once when the size changes",
  async () => {
    await using cluster = await attachable();
    await using terminal = partisan(["top", "--admin", cluster.admin.address, "--interval", "3600000"], {
      columns: 0,
      rows: 0,
    });
    const lines = await terminal.shows(/2 of 2 members up/);
    assertEquals(lines.length, 4);
    // It has no news for an hour: what is drawn anew is drawn because the size has changed.
    await terminal.resize({ columns: 12, rows: 24 });
    await terminal.shows(/^.{12}\n/);
    await terminal.type("\x03");
    assertEquals(await terminal.end(), { code: 0, restored: true });
  },
);

terminalTest("top draws without colours where NO_COLOR is set, and a signal gives the terminal back", async () => {
  await using cluster = await attachable();
  const size = { columns: 80, rows: 24 };
  await using terminal = partisan(["top", "--admin", cluster.admin.address], size, { NO_COLOR: "1" });
  await terminal.shows(/2 of 2 members up/);
  // deno-lint-ignore no-control-regex
  assert(!/\x1b\[\d+m/.test(terminal.output), "nothing has a colour");
  await terminal.signal("TERM");
  assertEquals(await terminal.end(), { code: 143, restored: true });
});

terminalTest("top gives the terminal back and ends with 4 when its node stops", async () => {
  await using cluster = await attachable();
  await using terminal = partisan(["top", "--admin", cluster.admin.address], { columns: 80, rows: 24 });
  await terminal.shows(/2 of 2 members up/);
  await cluster.a.stop();
  assertEquals(await terminal.end(), { code: 4, restored: true });
  assertMatch(terminal.output, /The node at ".*" has stopped/);
});

terminalTest(
  "cluster is drawn live, obeys its keys and NO_COLOR, and is 80 × 24 where the terminal tells no size",
  async () => {
    await using terminal = partisan(["cluster", "--nodes", "3"], { columns: 0, rows: 0 }, { NO_COLOR: "1" });
    const lines = await terminal.shows(/all views agree/);
    assertEquals(lines.length, 24);
    // deno-lint-ignore no-control-regex
    assert(!/\x1b\[\d+m/.test(terminal.output), "nothing has a colour");
    assertEquals(Math.max(...lines.map(({ length }) => length)), 80);
    await terminal.type("\x1b[Bk");
    await terminal.shows(/b .*killed[^]*a: b is down/);
    await terminal.type("?");
    await terminal.shows(/kill the selected node/);
    await terminal.resize({ columns: 60, rows: 18 });
    await terminal.shows(/^(.*\n){17}.*$/);
    await terminal.type("\x03");
    assertEquals(await terminal.end(), { code: 0, restored: true });
  },
);

terminalTest("cluster gives the terminal back when a signal ends it", async () => {
  await using terminal = partisan(["cluster", "--nodes", "2"], { columns: 80, rows: 24 });
  await terminal.shows(/all views agree/);
  assert(terminal.output.includes(COLOR), "what is up is green");
  await terminal.signal("HUP");
  assertEquals(await terminal.end(), { code: 129, restored: true });
});

terminalTest("members and --help print plain text also in a terminal", async () => {
  await using cluster = await attachable();
  for (const args of [["members", "--admin", cluster.admin.address], ["--help"]]) {
    await using terminal = partisan(args, { columns: 80, rows: 24 });
    assertEquals(await terminal.end(), { code: 0, restored: true });
    // Deno itself clears its line of progress before the program runs.
    // deno-lint-ignore no-control-regex
    assert(!/\x1b\[(\?|\d+m)/.test(terminal.output), terminal.output);
  }
});

Deno.test("top and cluster draw nothing where there is no terminal", async () => {
  await using cluster = await attachable();
  const run = async (...args: string[]) => {
    const all = ["run", "-A", "--no-prompt", "--no-check", "--no-config", MAIN, ...args];
    const { code, stdout } = await new Deno.Command(Deno.execPath(), { args: all, stdin: "null" }).output();
    return { code, text: new TextDecoder().decode(stdout) };
  };
  for (const args of [["top", "--admin", cluster.admin.address], ["cluster", "--nodes", "2"]]) {
    const { code, text } = await run(...args);
    assertEquals(code, 0);
    assert(text !== "" && !text.includes("\x1b"), text);
  }
});

Deno.test({
  name: "zsh completes commands, options and their values as a user presses Tab",
  ignore: whyNoPseudoTerminal !== null || !await isInstalled("zsh"),
  fn: async () => {
    await using desk = new Desk();
    const { stdout } = await desk.run("completions", "zsh");
    await Deno.writeTextFile(
      `${desk.folder}/.zshrc`,
      `autoload -U +X compinit && compinit -D -u\n${stdout}\npartisan() { print "ran ($*)" }\nprint ready\n`,
    );
    const environment = { ZDOTDIR: desk.folder, HOME: desk.folder };
    await using terminal = new PseudoTerminal(["zsh", "-d", "-i"], { columns: 100, rows: 30 }, environment);
    await terminal.shows(/ready/);
    await terminal.type("partisan dra\t\r");
    await terminal.shows(/ran \(drain\)/);
    await terminal.type("partisan keys re\t\r");
    await terminal.shows(/ran \(keys reload\)/);
    await terminal.type("partisan members --st\tu\t\r");
    await terminal.shows(/ran \(members --status up\)/);
    await terminal.type("exit\r");
    await terminal.end();
  },
});
