// Copyright 2026 the Partisan peer-service authors. MIT license.

/** Issue of a value, as a schema reports it. */
export interface StandardIssue {
  /** Description of the issue, in a sentence. */
  readonly message: string;
  /** Path to the part of the value, if it is not the value as a whole. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * Result of a schema for a value.
 *
 * @typeParam Output The value as the schema passes it on.
 */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/**
 * Anything that keeps to [Standard Schema](https://standardschema.dev), version 1, as the schemas of Zod, Valibot and ArkType do.
 *
 * @typeParam Input What fits.
 * @typeParam Output What it becomes.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The one property that the standard asks for. */
  readonly "~standard": {
    /** Version of the standard. */
    readonly version: 1;
    /** Maker of the schema. */
    readonly vendor: string;
    /** Looks at a value. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** For the compiler alone. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** A handler that is given only what fits, as the schema passes it on. A message that does not fit is thrown as a `TypeError`. */
export function withSchema<Context>(
  name: string,
  handler: (message: unknown, context: Context) => unknown,
  schema: StandardSchema,
): (message: unknown, context: Context) => unknown {
  const { validate } = schema["~standard"];
  return (message, context) => {
    const result = validate(message);
    if (!(result instanceof Promise)) return handler(outputOf(name, result), context);
    return result.then((result) => handler(outputOf(name, result), context));
  };
}

/** Whether something is a schema, as far as that can be seen. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchema>)["~standard"];
  return typeof standard?.validate === "function";
}

function outputOf(name: string, result: StandardResult<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  const { message = "it does not fit", path = [] } = result.issues[0] ?? {};
  const at = path.map((key) => String(typeof key === "object" ? key.key : key)).join(".");
  throw new TypeError(`Cannot take a message to "${name}": ${at === "" ? "" : `"${at}": `}${message}`);
}
