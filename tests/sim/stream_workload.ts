// Copyright 2026 the Partisan peer-service authors. MIT license.

import { CallError, type MessageContext } from "../../mod.ts";
import type { Runtime } from "../../transport/runtime.ts";
import type { SeededRandom } from "../../testing/seeded_random.ts";
import type { Process, Run } from "./run.ts";
import type { Scenario } from "./scenario.ts";

const STREAM = "bytes";
const PATIENT = "patient";
/** Milliseconds between two streams, or calls that are given up, of one node, on average. */
const PAUSE_MS = 2_000;
const STREAM_BYTES_MAX = 60_000;
const OPEN_MS = 3_000;
const CALL_MS_MAX = 400;

/** Errors with which a stream may end that does not come to its end. */
const EXPECTED_ERRORS = new Set(["NotConnectedError", "PartitionedError", "StoppedError", "TimeoutError"]);

/** One end of a stream that has not come to its end, or a call whose handler was not told that it was given up. */
interface Open {
  readonly process: Process;
  readonly what: string;
}

/**
 * Streams between all nodes, and calls that are given up. Each stream is whole, or ends at both ends by a name that is known; the signal of
 * each call is aborted.
 */
export class StreamWorkload {
  readonly #run: Run;
  readonly #names: readonly string[];
  /** Whether not all nodes are to be connected with each other. */
  readonly #isPartial: boolean;
  readonly #open = new Set<Open>();
  /** Number of bytes that were received of each stream, by its number. */
  readonly #received = new Map<number, number>();
  #count = 0;
  #isEnding = false;
  #complete = 0;

  constructor(run: Run, { names, overlay }: Scenario) {
    this.#run = run;
    this.#names = names;
    this.#isPartial = !overlay.isFullMesh;
  }

  /** Streams that came to their end. */
  get complete(): number {
    return this.#complete;
  }

  /** Streams that have not come to an end at nodes that are alive. */
  get pending(): string[] {
    return [...this.#open].flatMap(({ process, what }) => this.#run.isAlive(process) ? [what] : []);
  }

  /** Makes a node that has just started take streams and calls, and begin some until it dies. */
  begin(process: Process, { clock }: Runtime): void {
    const { node } = process;
    node.registerStream(STREAM, ({ readable, writable }, number: number) => {
      this.#follow(process, `stream #${number} at ${process.id}`, () => this.#receive(number, readable, writable));
    });
    node.register(
      PATIENT,
      (number: number, { signal }: MessageContext) =>
        this.#follow(process, `given up call #${number} at ${process.id}`, () =>
          new Promise<void>((resolve) => {
            signal.addEventListener("abort", () => resolve());
            if (signal.aborted) resolve();
          })),
    );
    const random = this.#run.cluster.world.random(`streams/${process.id}`);
    const next = () => {
      if (!this.#run.isAlive(process) || this.#isEnding) return;
      const number = this.#count++;
      const to = random.pick(this.#names);
      if (random.int(3) === 0) this.#call(process, to, number, random.int(CALL_MS_MAX));
      else {this.#follow(process, `stream #${number} from ${process.id} to ${to}`, () =>
          this.#send(process, to, number, random));}
      clock.schedule(2 * PAUSE_MS * random.next(), next);
    };
    clock.schedule(2 * PAUSE_MS * random.next(), next);
  }

  /** Begins nothing more. */
  end(): void {
    this.#isEnding = true;
  }

  #call({ node }: Process, to: string, number: number, timeout: number): void {
    // Whatever it ends with: it is the handler that counts.
    node.call(to, PATIENT, number, { timeout, transitive: this.#isPartial }).catch(() => {});
  }

  async #follow(process: Process, what: string, work: () => Promise<void>): Promise<void> {
    const open = { process, what };
    this.#open.add(open);
    try {
      await work();
    } catch (error) {
      const { name, message } = error as Error;
      // What an opener gave up reaches the handler by the reason.
      const reason = error instanceof CallError ? error.remote?.name ?? name : name;
      if (!EXPECTED_ERRORS.has(reason)) this.#run.fail(`${what} ended with ${name}: ${message}`);
    }
    this.#open.delete(open);
  }

  async #send({ node }: Process, to: string, number: number, random: SeededRandom): Promise<void> {
    const size = 1 + random.int(STREAM_BYTES_MAX);
    const cut = 1 + random.int(20_000);
    const { readable, writable, closed } = await node.openStream(to, STREAM, number, { timeout: OPEN_MS });
    const writer = writable.getWriter();
    for (let at = 0; at < size; at += cut) {
      const chunk = Uint8Array.from({ length: Math.min(cut, size - at) }, (_, index) => byteAt(number, at + index));
      await writer.write(chunk);
    }
    await writer.close().catch(() => writer.closed);
    for await (const _ of readable) this.#run.fail(`Something came back over stream #${number}`);
    await closed;
    this.#complete++;
    if (this.#received.get(number) === size) return;
    this.#run.fail(
      `Stream #${number} is complete for its opener, and ${to} has ${this.#received.get(number)} of ${size} bytes`,
    );
  }

  async #receive(number: number, readable: ReadableStream<Uint8Array>, writable: WritableStream<Uint8Array>) {
    let bytes = 0;
    for await (const chunk of readable) {
      for (const byte of chunk) {
        if (byte !== byteAt(number, bytes)) return this.#run.fail(`Byte ${bytes} of stream #${number} is wrong`);
        bytes++;
      }
    }
    this.#received.set(number, bytes);
    const writer = writable.getWriter();
    await writer.close().catch(() => writer.closed);
  }
}

function byteAt(stream: number, position: number): number {
  return (position * 31 + stream * 7) >>> 3 & 0xff;
}
