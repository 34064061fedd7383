/**
 * A symmetric matrix that is a sum of small ones, each on a clique of indices: the pattern of the Dirichlet matrix (6.1), where two features meet only through a part of the mixture that changes both.
 * Rows of the lower triangle, compressed, the diagonal last in each.
 */
export interface CliquePattern {
  /** Order of the matrix. */
  readonly size: number;
  /** Where each row of the lower triangle begins; `size + 1` numbers. */
  readonly rows: Int32Array;
  /** Column of each entry, increasing within a row. */
  readonly columns: Int32Array;
  /** For each clique, where its pairs `(i, j)`, `j <= i`, stand among the entries: pair `i (i + 1) / 2 + j`, counted within the clique. */
  readonly places: readonly Int32Array[];
}

/** The pattern over cliques of increasing indices below `size`; the diagonal always belongs to it. */
export function cliquePattern(cliques: readonly Int32Array[], size: number): CliquePattern {
  const member: number[][] = Array.from({ length: size }, () => []);
  cliques.forEach((clique, c) => {
    for (const k of clique) member[k].push(c);
  });
  const rows = new Int32Array(size + 1);
  const columns: number[] = [];
  const seen = new Int32Array(size).fill(-1);
  for (let k = 0; k < size; k++) {
    const row: number[] = [k];
    seen[k] = k;
    for (const c of member[k]) {
      for (const l of cliques[c]) {
        if (l >= k) break;
        if (seen[l] === k) continue;
        seen[l] = k;
        row.push(l);
      }
    }
    row.sort((a, b) => a - b);
    for (const l of row) columns.push(l);
    rows[k + 1] = columns.length;
  }
  const list = Int32Array.from(columns);
  const at = new Int32Array(size);
  const places = cliques.map(({ length }) => new Int32Array((length * (length + 1)) / 2));
  const position = cliques.map(() => 0);
  for (let k = 0; k < size; k++) {
    for (let e = rows[k]; e < rows[k + 1]; e++) at[list[e]] = e;
    for (const c of member[k]) {
      const i = position[c]++;
      const base = (i * (i + 1)) / 2;
      for (let j = 0; j <= i; j++) places[c][base + j] = at[cliques[c][j]];
    }
  }
  return { size, rows, columns: list, places };
}

/** `y = A x` with the leading `size x size` part of the matrix. */
export function multiply(
  { rows, columns }: CliquePattern,
  values: Float64Array,
  size: number,
  x: Float64Array,
  y: Float64Array,
): void {
  y.fill(0, 0, size);
  for (let k = 0; k < size; k++) {
    const own = x[k];
    let sum = 0;
    const end = rows[k + 1] - 1;
    for (let e = rows[k]; e < end; e++) {
      const l = columns[e];
      sum += values[e] * x[l];
      y[l] += values[e] * own;
    }
    y[k] += sum + values[end] * own;
  }
}

/** The diagonal. */
export function diagonal({ rows, size }: CliquePattern, values: Float64Array): Float64Array {
  return Float64Array.from({ length: size }, (_, k) => values[rows[k + 1] - 1]);
}
