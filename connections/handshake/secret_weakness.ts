// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Characters that a secret should have at least. */
const LENGTH_MIN = 16;
/** Different characters that it should have at least. */
const ALPHABET_MIN = 6;

/**
 * Weakness that makes a secret easy to guess, as far as its form tells.
 *
 * @returns A sentence, or `null` when nothing does.
 */
export function secretWeakness(secret: string): string | null {
  const characters = [...secret];
  if (characters.length < LENGTH_MIN) {
    return `The secret has ${characters.length} characters, expected at least ${LENGTH_MIN}`;
  }
  const different = new Set(characters).size;
  if (different < ALPHABET_MIN) {
    return `The secret has ${different} different characters, expected at least ${ALPHABET_MIN}`;
  }
  // A short piece that is repeated is as easy to guess as the piece.
  for (let period = 1; period < LENGTH_MIN && period <= characters.length / 2; period++) {
    if (characters.every((character, at) => character === characters[at % period])) {
      return `The secret repeats its first ${period} characters, expected at least ${LENGTH_MIN} that do not repeat`;
    }
  }
  return null;
}
