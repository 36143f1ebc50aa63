// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Text of more characters is cut: what other nodes sent may be long. */
const TEXT_MAX = 4_096;

/**
 * A value as JSON: bytes as hexadecimal digits, big integers as decimal ones, errors as their name and message, maps as objects. What JSON
 * cannot say otherwise is `null`. Never throws.
 */
export function plainJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, part) => plain(part)) ?? "null";
  } catch {
    // Something in it refers to itself, or throws when it is looked at.
    return "null";
  }
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "string" && value.length > TEXT_MAX) return `${value.slice(0, TEXT_MAX)}…`;
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}
