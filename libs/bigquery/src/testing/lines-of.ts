/** Rows as lines, cells with a space between: nothing as "none", decimals without the zeros that some engines write. */
export function linesOf(rows: readonly (readonly (string | null)[])[]): string[] {
  return rows.map((row) => row.map((cell) => shortened(cell ?? 'none')).join(' '));
}

function shortened(cell: string): string {
  return /^-?\d+\.\d{9}$/.test(cell) ? cell.replace(/\.?0+$/, '') : cell;
}
