import { KERNEL_NAMES } from '../kernel/kernels.js';
import { namingFile, writeFileAtomic } from '../model/atomic-file.js';
import type { Model } from '../model/model.js';
import type { MembershipEvent } from '../trainability/membership/membership-events.js';
import { MEMBERSHIP_RULES } from '../trainability/membership/mode-sets.js';
import { checkOptions } from '../trainability/options.js';
import { type PathReport, scanModels } from '../trainability/paths/path-report.js';
import { version } from '../version.js';
import { num, textTable } from './format.js';
import { readModelAt } from './model-path.js';
import { inSteps, numeric, oneOf } from './options.js';
import { checkSize, readSource } from './source.js';
import { parseDuration } from './spec-fields.js';

export interface PathFlags {
  readonly data?: string;
  readonly teacher?: string;
  readonly kernel: string;
  readonly rule: string;
  readonly epsilon: string;
  readonly kappa: string;
  readonly steps: string;
  readonly window: string;
  readonly report?: string;
  readonly json?: boolean;
}

/** `htdml path`: what the set of modes does between two models; returns what to print and the exit code. */
export async function pathCommand(
  fromPath: string,
  toPath: string,
  flags: PathFlags,
): Promise<{ output: string; code: number }> {
  const [from, to] = [readModelAt(fromPath), readModelAt(toPath)];
  const source = readSource(flags);
  checkSize(source, from, flags.data ?? flags.teacher ?? '', fromPath);
  const kernel = oneOf('--kernel', flags.kernel, KERNEL_NAMES);
  const options = {
    kernel,
    rule: oneOf('--rule', flags.rule, MEMBERSHIP_RULES),
    epsilon: numeric('--epsilon', flags.epsilon),
    kappa: numeric('--kappa', flags.kappa),
    steps: numeric('--steps', flags.steps),
    window: inSteps(parseDuration('--window', flags.window, 1), from, kernel),
  };
  checkOptions(options, ['epsilon', 'kappa', 'steps'], { epsilon: '--epsilon', kappa: '--kappa', steps: '--steps' });
  const report = namingFile(toPath, () => scanModels(from, to, source.law(), options));
  if (flags.report !== undefined) writeFileAtomic(flags.report, await renderPath(report, from, fromPath, toPath));
  return { output: flags.json ? JSON.stringify(report) : describePath(report, fromPath, toPath), code: 0 };
}

function eventRow({ type, at, groups, jumpLogRhat }: MembershipEvent): string[] {
  return [
    type,
    num(at, 8),
    groups.map(({ eigenvalue }) => num(1 - eigenvalue)).join(', '),
    groups.map(({ multiplicity }) => String(multiplicity)).join(', '),
    groups.map(({ weight }) => num(weight)).join(', '),
    jumpLogRhat === null ? '-' : num(jumpLogRhat),
  ];
}

const EVENT_COLUMNS = ['event', 'at', '1 - s', 'multiplicity', 'weight', 'jump of log R_hat'];
const CROSSING_COLUMNS = ['crossing', 'at', '1 - s', 'distance', 'both in the set'];

function crossingRow({ kind, at, eigenvalues: [a, b], inside }: PathReport['crossings'][number]): string[] {
  return [kind, num(at, 8), num(1 - a), num(Math.abs(a - b)), inside ? 'yes' : 'no'];
}

function summary(report: PathReport): string {
  const open = report.uncertified.reduce((sum, [a, b]) => sum + b - a, 0);
  const count = (things: readonly unknown[], name: string) =>
    `${things.length} ${name}${things.length === 1 ? '' : 's'}`;
  const certified =
    open === 0 ? 'all of the path is certified' : `a share of ${num(open, 2)} of the path is not certified`;
  return `${count(report.events, 'event')} and ${count(report.crossings, 'crossing')} from ${report.evaluations} spectra; ${certified}`;
}

function describePath(report: PathReport, fromPath: string, toPath: string): string {
  const shown = report.samples.filter((_, k) => k % Math.max(1, Math.floor(report.samples.length / 10)) === 0);
  return [
    `from ${fromPath} to ${toPath}: ${report.kernel}, ${report.rule} rule, epsilon ${num(report.epsilon)}, kappa ${num(report.kappa)}`,
    summary(report),
    '',
    textTable(
      ['at', 'log R_hat', 'groups in the set', 'slowest 1 - s'],
      shown.map(({ at, logRhat, groups }) => [
        num(at),
        num(logRhat),
        String(groups.length),
        num(groups[0] && 1 - groups[0].eigenvalue),
      ]),
    ),
    ...(report.events.length > 0 ? ['', textTable(EVENT_COLUMNS, report.events.map(eventRow))] : []),
    ...(report.crossings.length > 0 ? ['', textTable(CROSSING_COLUMNS, report.crossings.map(crossingRow))] : []),
  ].join('\n');
}

async function renderPath(report: PathReport, model: Model, fromPath: string, toPath: string): Promise<string> {
  const { pathFigure, renderReport } = await import('../report/index.js');
  const right = (columns: readonly string[]) =>
    columns.map((_, c) => (c === 0 ? ('left' as const) : ('right' as const)));
  const table = (columns: readonly string[], rows: string[][], none: string) =>
    rows.length === 0
      ? ({ kind: 'paragraph', text: none } as const)
      : ({ kind: 'table', columns, rows, align: right(columns) } as const);
  return renderReport({
    title: 'Path between two models',
    subtitle: `${fromPath} to ${toPath}: ${model.spins} spins, ${report.kernel}, ${report.rule} rule, epsilon ${num(report.epsilon)}, kappa ${num(report.kappa)}`,
    sections: [
      {
        heading: 'The set of modes along the path',
        blocks: [
          {
            kind: 'figure',
            svg: pathFigure(report),
            caption:
              'log R_hat of the set, broken where the set changes, and the gaps of the groups in it, larger where they carry more of the observables’ variance. Vertical lines: events. Circles: crossings, filled where levels pass through each other and open where they repel.',
            alt: 'log R_hat and gaps along the path, with events and crossings',
          },
          { kind: 'paragraph', text: `${summary(report)}.` },
        ],
      },
      { heading: 'Events', blocks: [table(EVENT_COLUMNS, report.events.map(eventRow), 'The set does not change.')] },
      {
        heading: 'Crossings',
        blocks: [table(CROSSING_COLUMNS, report.crossings.map(crossingRow), 'No levels of the set meet.')],
      },
    ],
    footer: `htdml ${version}`,
  });
}
