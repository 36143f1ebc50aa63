// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * How state and liveness spread through the cluster.
 *
 * @module
 */

export {};
