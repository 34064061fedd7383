import { dataLawFromCounts, type Edge, evaluateModel, ising, KERNEL_NAMES, type Model, rbm } from 'htdml';
import { expect, test } from 'vitest';
import { complete, random } from '../support/models.js';

const STARTS = ['uniform', 'stationary', 'data', 'state:1'] as const;

/** Every number finite, every null explained by a note at its path or above, nothing undefined. */
function defects(value: unknown, explained: (path: string) => boolean, path = ''): string[] {
  if (value === undefined) return [`${path} is undefined`];
  if (value === null) return explained(path) ? [] : [`${path} is null`];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} is ${value}`];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    defects(inner, explained, path === '' ? key : `${path}.${key}`),
  );
}

/** Models of two to six spins, warm to cold, sparse to complete, with hidden spins, biases, custom temperature; one in four an RBM. */
function randomModel(r: ReturnType<typeof random>): Model {
  const scale = 10 ** (3 * r.uniform() - 2);
  const beta = 10 ** (2 * r.uniform() - 1);
  const biased = r.uniform() < 0.6;
  const numbers = (n: number) => Array.from({ length: n }, () => scale * r.normal());
  if (r.uniform() < 0.25) {
    const [visible, hidden] = [1 + r.integer(3), 1 + r.integer(3)];
    const weights = numbers(visible * hidden);
    const visibleBiases = biased ? numbers(visible) : undefined;
    return rbm({ visible, hidden, beta, weights, visibleBiases, hiddenBiases: biased ? numbers(hidden) : undefined });
  }
  const spins = 2 + r.integer(5);
  const kept: Edge[] = complete(spins).filter(() => r.uniform() < 0.7);
  const edges: Edge[] = kept.length > 0 ? kept : [[0, 1]];
  const visible = Array.from({ length: spins }, (_, i) => i).filter((i) => i === 0 || r.uniform() < 0.8);
  return ising({
    spins,
    edges,
    beta,
    visible,
    couplings: numbers(edges.length),
    biases: biased ? numbers(spins) : undefined,
  });
}

test('a thousand random models: every number finite, every null with its reason, no exception', () => {
  const r = random(2026);
  const wrong: string[] = [];
  let converged = 0;
  for (let k = 0; k < 1000; k++) {
    const model = randomModel(r);
    const m = model.visible.length;
    const data = dataLawFromCounts(m, [
      [r.integer(2 ** m), 1],
      [r.integer(2 ** m), r.uniform()],
    ]);
    const options = {
      kernel: KERNEL_NAMES[k % KERNEL_NAMES.length],
      start: STARTS[r.integer(STARTS.length)],
      burnIn: r.integer(50),
      window: 1 + r.integer(200),
      chains: 1 + r.integer(3),
      epsilon: 1e-3,
      kappa: 2.5,
      gradient: r.uniform() < 0.5,
    };
    const evaluation = evaluateModel(model, data, options);
    const explained = (path: string) =>
      evaluation.notes.some((note) => path === note.path || path.startsWith(`${note.path}.`));
    converged += evaluation.numerics.converged ? 1 : 0;
    for (const defect of defects(evaluation, explained)) wrong.push(`model ${k}, ${options.kernel}: ${defect}`);
  }
  expect(wrong).toEqual([]);
  // Most of them are models that anyone would use, so the reasons cannot be what passes the test.
  expect(converged).toBeGreaterThan(900);
});
