// Copyright 2026 the Partisan peer-service authors. MIT license.

import { commands } from "./commands.ts";
import type { CommandSpec, OptionSpec } from "./option_table.ts";
import { UsageError } from "./usage_error.ts";

const SHELLS = new Map([["bash", bash], ["zsh", zsh], ["fish", fish]]);

/**
 * A script by which a shell completes commands, options and their values.
 *
 * @throws {UsageError} When the shell is none of bash, zsh and fish.
 */
export function completionsFor(shell: string): string {
  const script = SHELLS.get(shell);
  if (script === undefined) {
    throw new UsageError(`Unknown shell "${shell}": expected ${[...SHELLS.keys()].join(" or ")}`);
  }
  return script(commands.filter(({ hidden }) => hidden !== true)).join("\n");
}

/** The first words, and the second ones of commands that have two. */
function firstWords(shown: readonly CommandSpec[]): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const { name } of shown) {
    const [first, second] = name.split(" ");
    words.set(first!, [...words.get(first!) ?? [], ...(second === undefined ? [] : [second])]);
  }
  return words;
}

/** Completions of a command, and of each of its options. */
function bash(shown: readonly CommandSpec[]): string[] {
  const words = firstWords(shown);
  const cases = [...words].map(([first, seconds]) => {
    const options = shown.filter(({ name }) => name.split(" ")[0] === first).flatMap(({ options }) => options);
    const all = [...seconds, ...new Set(options.map(({ name }) => `--${name}`))];
    return `    ${first}) words="${all.join(" ")}" ;;`;
  });
  const values = uniqueOptions(shown).flatMap((option) => {
    const { name, choices, isPath, value, isValueOptional } = option;
    if (choices !== undefined) {
      return [`    --${name}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$word")); return ;;`];
    }
    if (isPath === true) return [`    --${name}) COMPREPLY=($(compgen -f -- "$word")); return ;;`];
    return value === undefined || isValueOptional === true ? [] : [`    --${name}) return ;;`];
  });
  return [
    "_partisan() {",
    '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""',
    '  case "$before" in',
    ...values,
    "  esac",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${[...words.keys()].join(" ")}"`,
    '  else case "${COMP_WORDS[1]}" in',
    ...cases,
    "  esac; fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -F _partisan partisan",
  ];
}

/** Zsh takes the functions of bash. */
function zsh(shown: readonly CommandSpec[]): string[] {
  return ["autoload -U +X bashcompinit && bashcompinit", ...bash(shown)];
}

function fish(shown: readonly CommandSpec[]): string[] {
  const lines = ["complete -c partisan -f"];
  for (const first of firstWords(shown).keys()) {
    const summary = shown.find(({ name }) => name.split(" ")[0] === first)!.summary;
    lines.push(`complete -c partisan -n __fish_use_subcommand -a ${first} -d '${quote(summary)}'`);
  }
  for (const { name, options } of shown) {
    const [first, second] = name.split(" ");
    const condition = `-n '__fish_seen_subcommand_from ${first}'`;
    if (second !== undefined) lines.push(`complete -c partisan ${condition} -a ${second}`);
    for (const option of options) {
      lines.push(`complete -c partisan ${condition} -l ${option.name}${fishValue(option)} -d '${quote(option.help)}'`);
    }
  }
  return lines;
}

function fishValue({ value, choices, isPath, isValueOptional }: OptionSpec): string {
  if (choices !== undefined) return ` -x -a '${choices.join(" ")}'`;
  return isPath === true ? " -r -F" : value === undefined || isValueOptional === true ? "" : " -x";
}

function quote(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
}

function uniqueOptions(shown: readonly CommandSpec[]): OptionSpec[] {
  return [...new Map(shown.flatMap(({ options }) => options).map((option) => [option.name, option])).values()];
}
