// Copyright 2026 the Partisan peer-service authors. MIT license.

import { present } from "../values.ts";
/** Cuts text into lines, without their ends. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = present(lines.pop());
        for (const line of lines) controller.enqueue(line);
      },
    });
  }
}
