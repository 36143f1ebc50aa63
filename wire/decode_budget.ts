// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Maximum cost of one MessagePack value for a decoder: 1 for each element of an array, 2 for each entry of a map, and
 * {@linkcode OBJECT_COST} more for each array, map, piece of binary data or date. An empty map is one byte on the wire and 56
 * in memory, so that the length of a frame alone bounds nothing. The encoder keeps to it as well: no node sends what no node
 * takes.
 */
export const DECODE_BUDGET: number = 8 * 1024 * 1024;

/** Cost of an object, whatever it contains. */
export const OBJECT_COST = 4;
