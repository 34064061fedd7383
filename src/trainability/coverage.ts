import { KERNEL_NAMES, KERNELS, type KernelName } from '../kernel/kernels.js';
import { dataLawFromRows } from '../model/data-law.js';
import { rbm } from '../model/model.js';
import { MAX_TABLE_BITS } from '../model/state-space.js';
import { MAX_DENSE_STATES } from '../spectrum/dense-kernel.js';
import { GROUP_WIDTH } from '../spectrum/groups.js';
import { ACCURACY } from './accuracy.js';
import { MAX_PROPAGATED } from './layered-error.js';
import { createRoute } from './routes/create-route.js';
import { MAX_NARROW_SPINS, MAX_WIDE_SPINS } from './routes/factored-route.js';
import { MAX_SLOW_MODES, RESIDUAL } from './routes/slow-modes.js';

/** Size of the table of all states. */
export interface TableLimit {
  /** `2^spins`, half of that for a model without biases. */
  readonly states: number;
}

/** Size of an RBM's layers, in spins. */
export interface LayersLimit {
  /** The smaller of visible and hidden. */
  readonly smallerLayer: number;
  /** The larger one. */
  readonly largerLayer: number;
}

/** Size of an RBM's visible layer, in spins; the hidden one may have any size. */
export interface VisibleLimit {
  /** Visible spins. */
  readonly visibleLayer: number;
}

/** Largest model of a row. */
export type SizeLimit = TableLimit | LayersLimit | VisibleLimit;

/** Where a quantity is computed, up to which size, whether it has a derivative, and how accurate tests hold it to be. */
export interface CoverageRow {
  /** Paths in what `htdml evaluate --json` prints; `signal` and `kl` are quantities of a route too, `totalCorrelation` of a route only, and `measured` is what `measureSnr` gives. */
  readonly quantities: readonly string[];
  /** The start laws for which it is computed. */
  readonly start: 'any' | 'stationary';
  /** The kernels that this row is about. */
  readonly kernels: readonly KernelName[];
  /** The models: any of them, or an RBM. */
  readonly model: 'any' | 'rbm';
  /** Largest model, by its states in all or by the layers of an RBM. */
  readonly limit: SizeLimit;
  /** Whether the derivative in the parameters is computed there too. */
  readonly gradient: boolean;
  /** What tests hold the value, and the derivative where there is one, to. */
  readonly accuracy: string;
}

const TABLE: SizeLimit = { states: 2 ** MAX_TABLE_BITS };
const DENSE: SizeLimit = { states: MAX_DENSE_STATES };
const LAYERS: SizeLimit = { smallerLayer: MAX_NARROW_SPINS, largerLayer: MAX_WIDE_SPINS };

/** What is computed for which kernel and model. One row per combination; what has no row is refused, or null with a note. */
export function coverage(): readonly CoverageRow[] {
  const where = (holds: (kernel: KernelName) => boolean) => KERNEL_NAMES.filter(holds);
  const reversible = (kernel: KernelName): boolean => KERNELS[kernel].reversible;
  const smooth = (kernel: KernelName): boolean => KERNELS[kernel].differentiable;
  const factored = factoredKernels();
  const withModes = factored.filter(reversible);
  const {
    table,
    differences,
    plateau,
    paths,
    modes,
    quadrature,
    spectralForms,
    bound,
    standardErrors,
    factored: agreement,
  } = ACCURACY;

  const byDifferences = `gradient ${differences} of central differences`;
  const dense = `${table} of a dense solve`;
  const plateaus = `${plateau.value} eps (1 + |theta|_1) of 80 digits on plateaus, gradient ${plateau.gradient}`;
  const asTable = `${agreement.value} of the table, gradient ${agreement.gradient}`;
  const byModes = `${GROUP_WIDTH} (width of a group) + ${modes} eps / gap of the solve`;
  const groupsAsTable = `gaps ${agreement.gap}, weights ${agreement.weight} of the table`;
  const allPaths = `${paths.mixture} (products of blocks ${paths.product}) of all paths`;

  const beyond = `beyond ${MAX_DENSE_STATES} states residuals of ${RESIDUAL}, for slow clusters of up to ${MAX_SLOW_MODES} modes`;

  const any = { start: 'any', model: 'any', gradient: false } as const;
  const layers = { start: 'any', model: 'rbm', limit: LAYERS } as const;
  const signal = ['signal', 'kl', 'totalCorrelation'];
  const full = ['predictors.full'];
  const cluster = ['predictors.slowCluster'];
  const single = ['predictors.singleRelevantGap', 'predictors.singleGap'];
  const lists = ['predictors.relevant'];
  const error = { ...any, quantities: ['operational'], accuracy: allPaths };
  const measured = { quantities: ['measured'], gradient: false, accuracy: `${standardErrors} standard errors` };
  const rows: CoverageRow[] = [
    {
      ...any,
      quantities: signal,
      kernels: KERNEL_NAMES,
      limit: TABLE,
      gradient: true,
      accuracy: `${table} of sums over all states; ${byDifferences}`,
    },
    { ...layers, quantities: signal, kernels: factored, gradient: true, accuracy: asTable },
    {
      ...any,
      quantities: full,
      kernels: where((k) => reversible(k) && smooth(k)),
      limit: TABLE,
      gradient: true,
      accuracy: `${dense}; ${byDifferences}; ${plateaus}`,
    },
    { ...any, quantities: full, kernels: where((k) => reversible(k) && !smooth(k)), limit: TABLE, accuracy: dense },
    {
      ...any,
      quantities: full,
      kernels: where((k) => !reversible(k)),
      limit: DENSE,
      gradient: true,
      accuracy: `${dense}; ${byDifferences}; ${plateaus}`,
    },
    { ...layers, quantities: full, kernels: factored, gradient: true, accuracy: `${asTable}; ${plateaus}` },
    {
      ...any,
      quantities: cluster,
      kernels: where((k) => reversible(k) && smooth(k)),
      limit: TABLE,
      gradient: true,
      accuracy: `${byModes}, gradient ${modes} eps / gap^2; ${beyond}`,
    },
    {
      ...any,
      quantities: cluster,
      kernels: where((k) => reversible(k) && !smooth(k)),
      limit: TABLE,
      accuracy: `${byModes}; ${beyond}`,
    },
    { ...any, quantities: single, kernels: where(reversible), limit: TABLE, accuracy: `${byModes}; ${beyond}` },
    {
      ...any,
      quantities: ['predictors.soft'],
      kernels: where((k) => reversible(k) && smooth(k)),
      limit: DENSE,
      gradient: true,
      accuracy: `within the error of central differences, at most ${spectralForms}`,
    },
    {
      ...any,
      quantities: ['predictors.soft'],
      kernels: where((k) => reversible(k) && !smooth(k)),
      limit: DENSE,
      accuracy: byModes,
    },
    {
      ...any,
      quantities: ['certificate'],
      kernels: where((k) => reversible(k) && smooth(k)),
      limit: DENSE,
      accuracy: 'a proof; no step that is tried within it changes the set',
    },
    {
      ...layers,
      quantities: ['certificate'],
      kernels: withModes,
      gradient: false,
      accuracy: 'a proof; no step that is tried within it changes the set',
    },
    { ...any, quantities: lists, kernels: where(reversible), limit: DENSE, accuracy: byModes },
    {
      ...layers,
      quantities: [...cluster, ...single, ...lists],
      kernels: withModes,
      gradient: false,
      accuracy: groupsAsTable,
    },
    { ...error, kernels: KERNEL_NAMES, limit: DENSE },
    {
      ...error,
      start: 'stationary',
      kernels: where(reversible),
      limit: TABLE,
      accuracy: `${quadrature} eps sqrt(states) (1 + K/2) of propagation`,
    },
    {
      ...error,
      model: 'rbm',
      kernels: factored.filter((kernel) => !reversible(kernel)),
      limit: MAX_PROPAGATED,
      accuracy: `${agreement.error} of the table`,
    },
    {
      ...layers,
      start: 'stationary',
      quantities: ['operational'],
      kernels: factored,
      gradient: false,
      accuracy: `${agreement.error} of the table`,
    },
    {
      ...any,
      quantities: ['trackingBound'],
      kernels: where(reversible),
      limit: DENSE,
      accuracy: `a proof; the exact R is inside, within ${bound.toExponential()}`,
    },
    { ...any, ...measured, kernels: KERNEL_NAMES, limit: TABLE },
    { ...layers, ...measured, kernels: KERNEL_NAMES, limit: { visibleLayer: MAX_WIDE_SPINS } },
  ];
  return rows.filter(({ kernels }) => kernels.length > 0);
}

/** Kernels of an RBM that need no table, asked of what chooses the route. */
function factoredKernels(): KernelName[] {
  const pair = rbm({ visible: 1, hidden: 1, weights: [0] });
  const data = dataLawFromRows([[1], [-1]]);
  return KERNEL_NAMES.filter((kernel) => createRoute(pair, data, { kernel }).name === 'factored');
}
