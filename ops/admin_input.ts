// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Input of a request to the admin endpoint, and its faults. */
export class AdminInput {
  readonly #operation: string;
  readonly #fields: ReadonlyMap<string, unknown>;

  /**
   * @param operation Told in errors.
   * @param value A JSON object.
   * @throws {TypeError} When it is none.
   */
  constructor(operation: string, value: unknown) {
    this.#operation = operation;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new TypeError(`Cannot do "${operation}": the body is no JSON object`);
    }
    this.#fields = new Map(Object.entries(value));
  }

  /** Any value; `undefined` where there is none. */
  value(field: string): unknown {
    return this.#fields.get(field);
  }

  /** Text that must be there. */
  text(field: string): string {
    const value = this.#fields.get(field);
    if (typeof value === "string" && value !== "") return value;
    throw this.#wrong(field, "text");
  }

  /** Text that may be there. */
  optionalText(field: string): string | undefined {
    return this.#fields.has(field) ? this.text(field) : undefined;
  }

  /** Whether something is asked for. */
  flag(field: string): boolean {
    const value = this.#fields.get(field) ?? false;
    if (typeof value === "boolean") return value;
    throw this.#wrong(field, "true or false");
  }

  /** Milliseconds that may be there. */
  milliseconds(field: string, max: number): number | undefined {
    const value = this.#fields.get(field);
    if (value === undefined) return undefined;
    if (typeof value === "number" && value > 0 && value <= max) return value;
    throw this.#wrong(field, `a number of milliseconds up to ${max}`);
  }

  #wrong(field: string, expected: string): TypeError {
    return new TypeError(`Cannot do "${this.#operation}": "${field}" is wrong or missing, expected ${expected}`);
  }
}
