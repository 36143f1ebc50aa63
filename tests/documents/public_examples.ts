// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Which public symbols lack an example, told by what `deno doc --json` prints.
 *
 * @module
 */

interface Documented {
  readonly name: string;
  readonly jsDoc?: { readonly tags?: readonly { readonly kind: string }[] };
}

interface Method extends Documented {
  readonly accessibility?: string;
  readonly kind: string;
}

interface Declaration extends Omit<Documented, "name"> {
  readonly kind: string;
  readonly location: { readonly filename: string };
  readonly def?: { readonly methods?: readonly Method[] };
}

/** What `deno doc --json` prints, as far as it is read here. */
export interface Documentation {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols: readonly { readonly name: string; readonly declarations: readonly Declaration[] }[];
    }>
  >;
}

/** The layers of the manager: they are met as its methods, so each method has an example, and the layer needs none. */
const MANAGER = "/manager/";

/** Exported functions and classes, and methods of the manager, that have no example; each once. */
export function withoutExample(documentation: Documentation): string[] {
  const found = new Set<string>();
  for (const { symbols } of Object.values(documentation.nodes)) {
    for (const { name, declarations } of symbols) {
      for (const declaration of declarations) {
        for (const symbol of lacking(name, declaration)) found.add(symbol);
      }
    }
  }
  return [...found].sort();
}

function lacking(name: string, declaration: Declaration): string[] {
  const { kind, location, def } = declaration;
  const itself = has(declaration, "example") ? [] : [name];
  if (kind === "function") return itself;
  if (kind !== "class") return [];
  if (!location.filename.includes(MANAGER)) return itself;
  return methodsWithoutExample(def?.methods ?? []).map((method) => `${name}.${method}()`);
}

/** Overloads are one method: an example at one of them is enough. */
function methodsWithoutExample(methods: readonly Method[]): string[] {
  const known = new Map<string, boolean>();
  for (const method of methods) {
    if (method.kind !== "method" || method.accessibility !== undefined || has(method, "ignore")) continue;
    known.set(method.name, known.get(method.name) === true || has(method, "example"));
  }
  return [...known].filter(([, shown]) => !shown).map(([method]) => method);
}

function has({ jsDoc }: Omit<Documented, "name">, tag: string): boolean {
  return jsDoc?.tags?.some(({ kind }) => kind === tag) ?? false;
}
