import { KERNEL_NAMES, type KernelName } from '../kernel/kernels.js';
import { type CoverageRow, coverage, type SizeLimit } from '../trainability/coverage.js';
import { textTable } from './format.js';

/** `htdml coverage`: what to print, and the exit code. */
export function coverageCommand({ json }: { readonly json?: boolean }): { output: string; code: number } {
  const rows = coverage();
  const output = json
    ? JSON.stringify({ schemaVersion: 1, coverage: rows })
    : textTable(COVERAGE_COLUMNS, rows.map(coverageCells), 'left');
  return { output, code: 0 };
}

export const COVERAGE_COLUMNS = ['quantity', 'kernels', 'model', 'largest', 'gradient', 'tests hold it to'];

/** A row for a person, a cell per column. */
export function coverageCells(row: CoverageRow): string[] {
  const start = row.start === 'stationary' ? ' (start stationary)' : '';
  return [
    row.quantities.join(', ').replaceAll(', predictors.', ', ') + start,
    kernelsText(row.kernels),
    row.model === 'rbm' ? 'RBM' : 'any',
    limitText(row.limit),
    row.gradient ? 'yes' : 'no',
    row.accuracy,
  ];
}

/** All kernels, all but a few, or their names. */
function kernelsText(kernels: readonly KernelName[]): string {
  const others = KERNEL_NAMES.filter((kernel) => !kernels.includes(kernel));
  if (others.length === 0) return 'all';
  return others.length < kernels.length ? `all but ${others.join(', ')}` : kernels.join(', ');
}

function limitText(limit: SizeLimit): string {
  if ('visibleLayer' in limit) return `${limit.visibleLayer} visible spins`;
  return 'states' in limit
    ? `2^${Math.log2(limit.states)} states`
    : `layers of ${limit.smallerLayer} and ${limit.largerLayer}`;
}
