// Copyright 2026 the Partisan peer-service authors. MIT license.

import { type Finding, type Job, runJob } from "./overlay_jobs.ts";

/** Part of a worker that the module in it uses. */
interface WorkerScope {
  onmessage: (event: MessageEvent<Job>) => void;
  postMessage(finding: Finding): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data }) => scope.postMessage(runJob(data));
