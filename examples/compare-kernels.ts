/**
 * Which kernel makes the most of a budget of spin updates? A 3 x 3 ferromagnet with weak fields, taught by a warmer one: the exact R that each kernel
 * gives within the same 9,000 spin updates from equilibrium.
 *
 *   node dist/examples/compare-kernels.js
 */
import { type Edge, evaluateModel, ising, KERNEL_NAMES, type KernelName, type Model, teacherLaw } from 'htdml';
import { digits, table } from './support/table.js';

const side = 3;
const spins = side * side;
const edges: Edge[] = [];
for (let i = 0; i < spins; i++) {
  if (i % side < side - 1) edges.push([i, i + 1]);
  if (i + side < spins) edges.push([i, i + side]);
}
const lattice = (beta: number) =>
  ising({
    spins,
    edges,
    beta,
    couplings: edges.map(() => 1),
    biases: Array.from({ length: spins }, (_, i) => 0.05 * (i % 3)),
  });
const model = lattice(0.5);
const data = teacherLaw(lattice(0.4));
const updates = 9000;

/** Spin updates of one kernel step. */
function updatesPerStep({ blocks }: Model, kernel: KernelName): number {
  switch (kernel) {
    case 'random-scan':
    case 'metropolis':
      return 1;
    case 'random-block':
      return spins / blocks.length;
    case 'alternating-block':
      return spins;
    case 'palindrome':
      return 2 * spins - 1;
    case 'palindrome-block':
      return 2 * spins - blocks[blocks.length - 1].length;
  }
  return kernel satisfies never;
}

const rows = KERNEL_NAMES.map((kernel) => {
  const window = Math.round(updates / updatesPerStep(model, kernel));
  const e = evaluateModel(model, data, {
    kernel,
    window,
    burnIn: 0,
    chains: 1,
    start: 'stationary',
    epsilon: 1e-3,
    kappa: 2.5,
    gradient: false,
  });
  const { full } = e.predictors;
  const R = e.operational?.R ?? 0;
  return { kernel, R, cells: [kernel, String(window), digits(R), digits(full.Rhat), digits(full.effectiveGap)] };
});
const best = rows.reduce((a, b) => (b.R > a.R ? b : a));
process.stdout.write(`${table(
  ['kernel', 'steps', 'R', 'R_hat', 'effective gap'],
  rows.map((row) => row.cells),
)}

best at ${updates} spin updates: ${best.kernel}, R = ${best.R.toFixed(4)}
`);
