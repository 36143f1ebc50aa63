// Copyright 2026 the Partisan peer-service authors. MIT license.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readLines } from "../../cli/protocol.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).href;

function command(args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
  const all = ["run", "--no-prompt", "--allow-net", "--allow-run", MAIN, ...args];
  return new Deno.Command(Deno.execPath(), { args: all, ...options });
}

/** A cluster that is led by commands. */
class Session implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: AsyncGenerator<string>;

  constructor(...args: string[]) {
    this.process = command(["cluster", ...args], { stdin: "piped", stdout: "piped" }).spawn();
    this.#input = this.process.stdin.getWriter();
    this.#output = readLines(this.process.stdout);
  }

  /** Sends a command. */
  async say(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(line + "\n"));
  }

  /** Reads up to a line that contains `text`. */
  async hear(text: string): Promise<void> {
    for (let next; !(next = await this.#output.next()).done;) {
      this.lines.push(next.value);
      if (next.value.includes(text)) return;
    }
    throw new Error(`"${text}" never came:\n${this.lines.join("\n")}`);
  }

  /** Waits until the views agree. */
  async agree(): Promise<void> {
    await this.say("wait");
    await this.hear("ll views agree");
  }

  /** The process id of each node. */
  pids(): number[] {
    return this.lines.flatMap((line) => line.match(/listens on \S+, process (\d+)/)?.[1] ?? []).map(Number);
  }

  /** Number of nodes that told that `node` is down or up. */
  count(node: string, state: "up" | "down"): number {
    return this.lines.filter((line) => line.endsWith(`: ${node} is ${state}`)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    for await (const line of this.#output) this.lines.push(line);
    await this.process.status;
  }
}

Deno.test("the unattended cluster kills, restarts and removes nodes, and exits with 0 as all views agree", async () => {
  const { code, stdout } = await command(["cluster", "--nodes", "4", "--seconds", "8"]).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, text);
  assertMatch(
    text,
    /kill \(SIGKILL\) (\w)\n.*agree\n +down seen by (\w after \d+ ms(, )?){3}\n.*start \1\n.*agree\n +up seen by/,
  );
  assertMatch(text, /leave (\w)\n.*agree\n +leave seen by (\w after \d+ ms(, )?){3}\n/);
  assertEquals(text.match(/^\w +up +127\.0\.0\.1:\d+ +\w \w \w +\w \w .* 0 +0$/gm)?.length, 3, text);
  assertStringIncludes(text, "no message was lost or out of order");
});

Deno.test("a paused node is down for all others and up again once it is resumed", async () => {
  await using session = new Session("--nodes", "3");
  await session.agree();
  await session.say("pause b");
  await session.agree();
  assertEquals(session.count("b", "down"), 2);
  await session.say("resume b");
  await session.agree();
  await session.say("quit");
  assertEquals(session.count("b", "up"), 4);
  assertEquals(session.count("a", "down") + session.count("c", "down"), 0, "others were not to blame");
});

Deno.test("what a node would write to its standard error is an entry of the cluster's log", async () => {
  await using session = new Session("--nodes", "2");
  await session.agree();
  await session.say("kill b");
  await session.hear("a: warning cannot-connect: ");
  assertEquals(session.lines.filter((line) => line.includes("[peer-service]")), []);
  await session.say("quit");
});

Deno.test("no node outlives a supervisor that was killed, not even a paused one", async () => {
  await using session = new Session("--nodes", "3");
  await session.agree();
  await session.say("pause b");
  await session.hear("pause");
  session.process.kill("SIGKILL");
  assertEquals(session.pids().length, 3);
  for (const pid of session.pids()) await exit(pid);
});

Deno.test("a command line that makes no sense is answered with exit code 2", async () => {
  const { code, stdout, stderr } = await command(["cluster", "--knodes", "3"]).output();
  assertEquals([code, stdout.length], [2, 0]);
  assertEquals(new TextDecoder().decode(stderr), 'Unknown option "--knodes": see --help\n');
});

/** Resolves once a process is gone that is no child of this one. */
async function exit(pid: number): Promise<void> {
  const script = `while kill -0 ${pid}; do sleep 0.02; done`;
  const { success } = await new Deno.Command("sh", { args: ["-c", script], stderr: "null" }).output();
  assert(success);
}
