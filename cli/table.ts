// Copyright 2026 the Partisan peer-service authors. MIT license.

/**
 * Sets rows of equal length as a table: columns as wide as need be, numbers on the right.
 *
 * @param rows The first one is the heading.
 */
export function formatTable(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const numeric = widths.map((_, column) => rows.slice(1).every((row) => typeof row[column] === "number"));
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column]!;
      return numeric[column] ? String(cell).padStart(width) : String(cell).padEnd(width);
    }).join("  ").trimEnd()
  );
}
