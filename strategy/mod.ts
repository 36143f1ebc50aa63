// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Which peers a node talks to, and what it tells them.
 *
 * @module
 */

export {};
