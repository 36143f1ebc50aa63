// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Cluster membership and node-to-node messaging for Deno.
 *
 * @module
 */

export {};
