// Copyright 2026 the Partisan peer-service authors. MIT license.

import { sample } from "../runtime/sample.ts";

/** Result of one indirect probe. */
type Question = { readonly askedAt: number; answer?: "silent" | "unable" };

/** State of the questions about one suspect. */
export interface SuspicionStep {
  /** Watchers to ask now. */
  readonly ask: readonly string[];
  /** Whether the suspicion is confirmed. */
  readonly confirmed: boolean;
}

/** The questions that one watcher asks about one silent node. */
export class Suspicion {
  readonly #questions = new Map<string, Question>();
  /** Watchers that have answered anything: these are asked first when it counts. */
  readonly #responsive = new Set<string>();
  #serious = false;

  /**
   * Before the limit: asks a few more, only to learn from them. No node is asked twice before all were asked once.
   *
   * @param candidates Nodes that can be asked.
   * @param count Number of watchers to ask.
   */
  listen(candidates: readonly string[], count: number, now: number, random: () => number): readonly string[] {
    this.#setSerious(false);
    let unasked = candidates.filter((name) => !this.#questions.has(name));
    if (unasked.length === 0) {
      for (const name of candidates) this.#questions.delete(name);
      unasked = [...candidates];
    }
    return this.#pose(sample(unasked, count, random), now);
  }

  /**
   * Beyond the limit: asks until `needed` other watchers are silent as well, or all that can tell are. One that does not answer within
   * `patience` is replaced. When no node is left to ask and some did not answer, the questions begin anew: perhaps it is this node that
   * the others do not hear, and a watcher that is dead itself will be known as such in time.
   *
   * @param candidates Watchers that can be asked.
   */
  confirm(
    candidates: readonly string[],
    needed: number,
    patience: number,
    now: number,
    random: () => number,
  ): SuspicionStep {
    this.#setSerious(true);
    let silent = 0;
    for (const question of this.#questions.values()) silent += question.answer === "silent" ? 1 : 0;
    if (silent >= needed) return { ask: [], confirmed: true };
    let waiting = 0;
    let unanswered = 0;
    const unasked: string[] = [];
    for (const name of candidates) {
      const question = this.#questions.get(name);
      if (question === undefined) unasked.push(name);
      else if (question.answer === undefined && now - question.askedAt < patience) waiting++;
      else if (question.answer === undefined) unanswered++;
    }
    if (unasked.length + waiting === 0) {
      if (unanswered === 0) return { ask: [], confirmed: true };
      this.#questions.clear();
      unasked.push(...candidates);
    }
    const wanted = Math.max(0, needed - silent - waiting);
    const known = unasked.filter((name) => this.#responsive.has(name));
    const unknown = unasked.filter((name) => !this.#responsive.has(name));
    const chosen = sample(known, wanted, random);
    chosen.push(...sample(unknown, wanted - chosen.length, random));
    return { ask: this.#pose(chosen, now), confirmed: false };
  }

  /** Takes an answer. One that was not asked for is ignored. */
  answered(name: string, answer: "silent" | "unable" | "heard"): void {
    const question = this.#questions.get(name);
    if (question === undefined) return;
    this.#responsive.add(name);
    if (answer === "heard") this.#questions.delete(name);
    else question.answer = answer;
  }

  #pose(names: readonly string[], now: number): readonly string[] {
    for (const name of names) this.#questions.set(name, { askedAt: now });
    return names;
  }

  /** Sets whether the limit has passed. Questions that were asked before the limit do not count after it. */
  #setSerious(serious: boolean): void {
    if (this.#serious === serious) return;
    this.#serious = serious;
    this.#questions.clear();
  }
}
