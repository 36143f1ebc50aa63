// Copyright 2026 the Partisan peer-service authors. MIT license.

import { UsageError } from "./usage_error.ts";

/** An option of a command: parsing, help and completions go by it. */
export interface OptionSpec {
  /** Without the hyphens. */
  readonly name: string;
  /** Name of the value in the help; left out for options that take none. */
  readonly value?: string;
  /** Whether the value may be left out, and is then an empty one; where it is given, it follows an equals sign. */
  readonly isValueOptional?: boolean;
  /** One line. */
  readonly help: string;
  /** Whether it may be given several times. */
  readonly repeat?: boolean;
  /** The values that there are. */
  readonly choices?: readonly string[];
  /** The range of a whole number. */
  readonly range?: readonly [min: number, max: number];
  /** Whether the value is a file or a folder. */
  readonly isPath?: boolean;
  /** The letter that stands for it. */
  readonly letter?: string;
}

/** A command: parsing, help and completions go by it. */
export interface CommandSpec {
  /** One word, or two. */
  readonly name: string;
  /** Summary, in a line. */
  readonly summary: string;
  /** Words that follow the options, in order. A question mark at the end: it may be left out. */
  readonly words?: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Details, for its own help. */
  readonly details?: string;
  /** Command lines that work. */
  readonly examples: readonly string[];
  /** Whether it is for this program itself, and in no help. */
  readonly hidden?: boolean;
}

/** Arguments of a command line, checked against its table. */
export class Arguments {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #words: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, readonly string[]>, words: ReadonlyMap<string, string>) {
    this.#values = values;
    this.#words = words;
  }

  /** The value of an option. */
  text(option: string): string | undefined {
    return this.#values.get(option)?.at(-1);
  }

  /** All values of an option that may be repeated. */
  list(option: string): readonly string[] {
    return this.#values.get(option) ?? [];
  }

  /** The value of an option that is a number. */
  number(option: string): number | undefined {
    const text = this.text(option);
    return text === undefined ? undefined : Number(text);
  }

  /** Whether an option that takes no value was given. */
  flag(option: string): boolean {
    return this.#values.has(option);
  }

  /** A word that must be there. */
  word(name: string): string {
    return this.#words.get(name)!;
  }

  /** A word that may be there. */
  optionalWord(name: string): string | undefined {
    return this.#words.get(`${name}?`);
  }
}

/**
 * Reads what follows the name of a command.
 *
 * @throws {UsageError} When something in it is unknown, missing or out of range.
 */
export function readArguments(command: CommandSpec, args: readonly string[]): Arguments {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const rest = [...args];
  for (let word; (word = rest.shift()) !== undefined;) {
    if (word === "--") {
      words.push(...rest.splice(0));
    } else if (word.startsWith("-") && word !== "-" && !/^-\d/.test(word)) {
      const [, name = word, attached] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
      const option = optionOf(command, name);
      if (option.value === undefined) {
        if (attached !== undefined) throw new UsageError(`Option "${name}" takes no value`);
        values.set(option.name, [""]);
        continue;
      }
      if (attached === undefined && option.isValueOptional === true) {
        values.set(option.name, [""]);
        continue;
      }
      const value = attached ?? rest.shift();
      if (value === undefined) throw new UsageError(`Option "${name}" needs a value`);
      const before = values.get(option.name) ?? [];
      if (before.length > 0 && option.repeat !== true) throw new UsageError(`Option "${name}" is given twice`);
      values.set(option.name, [...before, checkValue(option, `Option "${name}"`, value)]);
    } else {
      words.push(word);
    }
  }
  return new Arguments(values, nameWords(command, words));
}

/**
 * Holds a value against the table.
 *
 * @param what Names it in the error.
 * @throws {UsageError} When it does not fit.
 */
export function checkValue({ choices, range }: OptionSpec, what: string, text: string): string {
  if (choices !== undefined && !choices.includes(text)) {
    throw new UsageError(`${what} is "${text}": expected ${choices.join(" or ")}`);
  }
  if (range !== undefined) {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
    if (!(value >= range[0] && value <= range[1])) {
      throw new UsageError(`${what} is "${text}": expected a whole number from ${range[0]} to ${range[1]}`);
    }
  } else if (text === "") {
    throw new UsageError(`${what} needs a value`);
  }
  return text;
}

function optionOf({ options }: CommandSpec, name: string): OptionSpec {
  const option = options.find((each) => `--${each.name}` === name || (each.letter && `-${each.letter}` === name));
  if (option === undefined) throw new UsageError(`Unknown option "${name}"`);
  return option;
}

function nameWords({ name, words = [] }: CommandSpec, given: readonly string[]): Map<string, string> {
  const unknown = given[words.length];
  if (unknown !== undefined) throw new UsageError(`"${unknown}" is one word too many for ${name}`);
  const missing = words.find((word, index) => given[index] === undefined && !word.endsWith("?"));
  if (missing !== undefined) throw new UsageError(`The command ${name} needs ${missing}`);
  return new Map(given.map((word, index) => [words[index]!, word]));
}
