/**
 * Reads a model and data and says whether a chain could train it: the exact R beside its predictors, and the assumptions with what they allow to claim. The files are
 * written here, in the formats that `htdml evaluate` reads too: two wells under a weak field, and samples of a warmer model.
 *
 *   node dist/examples/evaluate.js [--quick]
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { evaluateModel, ising, randomSource, readData, readModel, writeFileAtomic, writeModel } from 'htdml';
import { digits, table } from './support/table.js';

const quick = process.argv.includes('--quick');
const out = fileURLToPath(new URL('../../examples/out/evaluate/', import.meta.url));
mkdirSync(out, { recursive: true });

// A ferromagnetic square: all four spins flip together, rarely.
const edges = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 0],
] as const;
writeModel(`${out}model.json`, ising({ spins: 4, edges, couplings: [1, 1, 1, 1], biases: [0.1, 0.1, 0.1, 0.1] }));
// Neighbours agree in four samples of five, less often than in the model.
const random = randomSource(7);
const rows = Array.from({ length: 400 }, () => {
  const spin = random.uniform() < 0.6 ? 1 : -1;
  return Array.from({ length: 4 }, () => (random.uniform() < 0.9 ? spin : -spin)).join(',');
});
writeFileAtomic(`${out}samples.csv`, `${rows.join('\n')}\n`);

const model = readModel(`${out}model.json`);
const data = readData(`${out}samples.csv`);
const [burnIn, window] = quick ? [2000, 20_000] : [20_000, 200_000];
const e = evaluateModel(model, data, {
  kernel: 'random-scan',
  burnIn,
  window,
  chains: 1,
  start: 'uniform',
  epsilon: 1e-3,
  kappa: 2.5,
  gradient: false,
});

const { singleGap, ...others } = e.predictors;
const predictors = Object.entries(singleGap === 'symmetry-zero' ? others : e.predictors).map(([name, p]) =>
  p === null || p === 'symmetry-zero' ? [name, '-', '-', '-'] : [name, p.Rhat, p.timescale, p.effectiveGap],
);
const cells = (row: readonly (string | number | null)[]) => row.map((x) => (typeof x === 'string' ? x : digits(x)));
const gates = Object.entries(e.gates).map(([name, { value, met, reason }]) => [
  name,
  Array.isArray(value)
    ? value.map((x) => digits(x)).join(' to ')
    : typeof value === 'string'
      ? value
      : digits(value as number | null),
  met === null ? `unchecked: ${reason}` : met ? 'met' : 'unmet',
]);
process.stdout.write(`
Four spins in two wells under random-scan; ${burnIn} steps discarded, ${window} averaged. |g|^2 = ${digits(e.signal)}, KL = ${digits(e.kl)} nats.

${table(['predictor', 'R_hat', 'T [steps]', 'effective gap'], predictors.map(cells))}

${table(['gate', 'value', ''], gates)}

R = ${e.operational?.R?.toFixed(4)}, exact; R / R_hat is proven to lie from ${e.trackingBound?.map((x) => x.toFixed(4)).join(' to ')}
R ${e.plateau ? '< 1: the estimate drowns in noise, a plateau' : '> 1: descent works with this estimate'}; what would lift it most is the ${e.limitingFactor}
claim: conditional ${e.claim.conditional}${e.claim.gates.length > 0 ? ` (${e.claim.gates.join(' ')})` : ''}, operational ${e.claim.operational}
`);
