import type { Obligation, Outcome } from './obligation.js';

/** One property of one obligation as it was run. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly tag: string;
  readonly property: string;
  readonly cases: number;
  readonly worstMargin: number;
}

/** Runs every property of the obligations; `report` is told of each when it is done. */
export function runObligations(
  obligations: readonly Obligation[],
  cases: number,
  report: (row: Row, outcome: Outcome) => void = () => undefined,
): Row[] {
  return obligations.flatMap(({ id, title, tag, properties }) =>
    properties.map((property) => {
      const outcome = property.check(cases);
      const row = { id, title, tag, property: property.name, cases: outcome.cases, worstMargin: outcome.worstMargin };
      report(row, outcome);
      return row;
    }),
  );
}

const HEADINGS = ['obligation', 'title', 'tag', 'property', 'cases', 'worst margin'] as const;

/** Five digits, towards zero, so that a margin is never shown better than it was. */
export function formatMargin(margin: number): string {
  if (margin === Number.POSITIVE_INFINITY) return 'nothing found';
  if (!(margin >= 1e-3) || margin >= 1e5) return margin.toExponential(2);
  const decimals = Math.max(0, 4 - Math.floor(Math.log10(margin)));
  return (Math.floor(margin * 10 ** decimals) / 10 ** decimals).toFixed(decimals);
}

/** A Markdown table with one line per property. */
export function renderTable(rows: readonly Row[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [
    line(HEADINGS),
    line(HEADINGS.map(() => '---')),
    ...rows.map(({ id, title, tag, property, cases, worstMargin }) =>
      line([id, title, tag, property, cases, formatMargin(worstMargin)]),
    ),
  ].join('\n');
}

/** The rows of a table that {@link renderTable} made, from the text around it. */
export function parseTable(text: string): Row[] {
  const lines = text.split('\n').filter((line) => /^\| O\d \|/.test(line));
  return lines.map((line) => {
    const [id, title, tag, property, cases, margin] = line.slice(2, -2).split(' | ');
    const worstMargin = margin === 'nothing found' ? Number.POSITIVE_INFINITY : Number(margin);
    return { id, title, tag, property, cases: Number(cases), worstMargin };
  });
}

/** PROOFS.md: the table, then every obligation in words. */
export function renderDocument(obligations: readonly Obligation[], rows: readonly Row[], seed: number): string {
  const sections = obligations.map(({ id, title, tag, statement, assumptions, derivation, properties }) =>
    [
      `## ${id}. ${title} [${tag}]`,
      statement,
      `Assumptions:\n\n${assumptions.map((assumption) => `- ${assumption}`).join('\n')}`,
      derivation,
      `Checked as:\n\n${properties.map(({ name, claim }) => `- **${name}**: ${claim}`).join('\n')}`,
    ].join('\n\n'),
  );
  return `${[
    '# Proof obligations',
    `Written by \`npm run proofs\` from the files in \`proofs/\`, with seed ${seed}. A margin is what the claim allows over what was found, the smallest over all cases: at least 1 where the
claim holds, and near 1 where a bound is tight. For equalities, what is allowed is rounding, from the unit roundoff, the size of the problem and its gap.`,
    renderTable(rows),
    ...sections,
  ].join('\n\n')}\n`;
}
