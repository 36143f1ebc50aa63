// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Maximum length of a text: texts of other nodes may be long. */
const TEXT_MAX = 4_096;

/**
 * A value as JSON: bytes as hexadecimal digits, big integers as decimal ones, errors as their name and message, maps as objects. What JSON
 * cannot say otherwise is `null`. Never throws.
 *
 * @param textMax Text of more characters is cut.
 */
export function plainJson(value: unknown, textMax = TEXT_MAX): string {
  try {
    return JSON.stringify(value, (_, part) => plain(part, textMax)) ?? "null";
  } catch {
    // Something in it refers to itself, or throws when it is looked at.
    return "null";
  }
}

function plain(value: unknown, textMax: number): unknown {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "string" && value.length > textMax) return `${value.slice(0, textMax)}…`;
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}
