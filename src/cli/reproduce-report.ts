import type { Outcome, TableRow } from '../experiments/table.js';
import type { Section } from '../report/report.js';
import { version } from '../version.js';
import { duration, num, textTable } from './format.js';

/** What `htdml reproduce` writes of one experiment. */
export interface ExperimentRecord {
  readonly schemaVersion: 1;
  readonly command: 'reproduce';
  readonly experiment: string;
  readonly title: string;
  /** `sha256` is that of the configuration file; `ours` are the settings that the source does not state. */
  readonly configuration: { readonly sha256: string; readonly settings: unknown; readonly ours: readonly string[] };
  readonly versions: { readonly htdml: string; readonly node: string };
  readonly cells: number;
  /** Of computation, over all cells and threads. */
  readonly seconds: number;
  readonly sourceCost: string | null;
  readonly table: readonly TableRow[];
  readonly outcome: Outcome | null;
}

const COLUMNS = ['', 'ours', 'source', 'comparison', 'outcome'];

/** An experiment's table for a terminal, with what was said in advance about rows that differ. */
export function experimentText(record: ExperimentRecord): string {
  const { experiment, title, table } = record;
  const notes = table.flatMap(({ agrees, what, note }) =>
    agrees === false && note !== null ? [`  ${what}: ${note}`] : [],
  );
  return [
    `${experiment}: ${title}`,
    costText(record),
    textTable(COLUMNS, table.map(cellsOf), 'left'),
    ...(notes.length === 0 ? [] : ['where it differs:', ...notes]),
  ].join('\n');
}

/** One page with the table of every experiment. */
export async function renderExperiments(records: readonly ExperimentRecord[]): Promise<string> {
  const { renderReport } = await import('../report/index.js');
  const overview: Section = {
    heading: 'Overview',
    blocks: [
      {
        kind: 'table',
        columns: ['experiment', '', 'outcome', 'rows that agree', 'rows that differ', 'computation'],
        rows: records.map(({ experiment, title, outcome, table, seconds }) => [
          experiment,
          title,
          outcome ?? '-',
          String(table.filter(({ agrees }) => agrees === true).length),
          String(table.filter(({ agrees }) => agrees === false).length),
          duration(seconds),
        ]),
        align: ['left', 'left', 'left', 'right', 'right', 'right'],
      },
    ],
  };
  return renderReport({
    title: 'The source’s experiments, reproduced',
    subtitle:
      'Ours beside the source’s figures; thresholds and settings were fixed in the configuration files before the runs.',
    sections: [overview, ...records.map(experimentSection)],
    footer: `htdml ${version}, Node ${process.versions.node}`,
  });
}

function experimentSection(record: ExperimentRecord): Section {
  const { experiment, title, configuration, table } = record;
  return {
    heading: `${experiment}: ${title}`,
    blocks: [
      { kind: 'paragraph', text: costText(record) },
      { kind: 'table', columns: COLUMNS, rows: table.map(cellsOf) },
      ...table.flatMap(({ agrees, what, note }) =>
        agrees === false && note !== null ? [{ kind: 'paragraph' as const, text: `Differs: ${what}. ${note}.` }] : [],
      ),
      {
        kind: 'paragraph',
        text: `Settings (configuration ${configuration.sha256}): ${JSON.stringify(configuration.settings)}. The source does not state these of them, which are ours: ${configuration.ours.join(', ')}.`,
      },
    ],
  };
}

function costText({ cells, seconds, sourceCost, outcome }: ExperimentRecord): string {
  const source = sourceCost === null ? '' : `; the source took ${sourceCost}`;
  return `${outcome ?? 'no outcome named'}; ${cells} cells, ${duration(seconds)} of computation over all threads${source}`;
}

function cellsOf({ what, ours, source, agrees, difference, outcome }: TableRow): string[] {
  const comparison = agrees === null ? '-' : agrees ? 'agrees' : `differs by ${num(difference, 3)}`;
  return [what, ours, source ?? '-', comparison, outcome ?? '-'];
}
