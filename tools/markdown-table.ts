const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** A table in Markdown; what stands in a cell has no `|` in it. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
