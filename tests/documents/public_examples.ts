// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Public symbols that lack an example, told by what `deno doc --json` prints.
 *
 * @module
 */

interface Documented {
  readonly name: string;
  readonly jsDoc?: { readonly tags?: readonly { readonly kind: string; readonly doc?: string }[] };
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

/** Output of `deno doc --json`, as far as it is read here. */
export interface Documentation {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols: readonly { readonly name: string; readonly declarations: readonly Declaration[] }[];
    }>
  >;
}

/** Module of the manager's interface: each of its methods has an example of its own. */
const MANAGER = "/manager/peer_service_manager.ts";

/**
 * Exported functions and classes that have no example, methods of the manager's interface that have none of their own, and methods
 * of classes that no example of their class uses.
 */
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
  const shown = examples(declaration);
  const itself = shown.length > 0 ? [] : [name];
  if (kind === "function") return itself;
  const methods = publicMethods(def?.methods ?? []);
  if (location.filename.includes(MANAGER)) return unshown(name, methods, (_, own) => own.length > 0);
  // Other interfaces are for others to implement.
  if (kind !== "class") return [];
  const all = [...shown, ...methods.values()].flat().join("\n");
  return [...itself, ...unshown(name, methods, (method) => new RegExp(`\\.${method}\\b`).test(all))];
}

function unshown(
  name: string,
  methods: ReadonlyMap<string, readonly string[]>,
  isShown: (method: string, own: readonly string[]) => boolean,
): string[] {
  return [...methods].filter(([method, own]) => !isShown(method, own)).map(([method]) => `${name}.${method}()`);
}

/** The examples of each method. Overloads are one method: an example at one of them is enough. */
function publicMethods(methods: readonly Method[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const method of methods) {
    if (method.kind !== "method" || method.accessibility !== undefined || has(method, "ignore")) continue;
    // `using` calls what has a symbol for its name.
    if (method.name.startsWith("[")) continue;
    found.set(method.name, [...found.get(method.name) ?? [], ...examples(method)]);
  }
  return found;
}

function examples({ jsDoc }: Omit<Documented, "name">): string[] {
  return (jsDoc?.tags ?? []).filter(({ kind }) => kind === "example").map(({ doc = "" }) => doc);
}

function has({ jsDoc }: Omit<Documented, "name">, tag: string): boolean {
  return jsDoc?.tags?.some(({ kind }) => kind === tag) ?? false;
}
