import { type Edge, ising, type Model, rbm } from 'htdml';
import { complete, type random } from './models.js';

type Random = ReturnType<typeof random>;

/** Parameter vectors where sets of modes are easy and where they are hard: generic, degenerate, symmetric, decoupled, nearly so, strong. */
export const CHARACTERS = [
  'random',
  'no biases',
  'J = 0',
  'all couplings equal',
  'decoupled',
  'nearly degenerate',
  'strong',
  'RBM',
  'blocks with inside edges',
] as const;
export type Character = (typeof CHARACTERS)[number];

/** At most 16 states, so that a spectrum takes a fraction of a millisecond. */
export function modelOf(character: Character, r: Random): Model {
  const normals = (n: number, scale: number) => Array.from({ length: n }, () => scale * r.normal());
  const beta = 0.5 + r.uniform();
  const spins = 3 + r.integer(2);
  const pairs = (spins * (spins - 1)) / 2;
  switch (character) {
    case 'random':
      return ising({
        spins,
        edges: complete(spins),
        couplings: normals(pairs, 0.5),
        biases: normals(spins, 0.4),
        beta,
      });
    case 'no biases':
      return ising({ spins: spins + 1, edges: complete(spins + 1), couplings: normals(pairs + spins, 0.5), beta });
    case 'J = 0':
      return ising({
        spins,
        edges: complete(spins),
        couplings: Array(pairs).fill(0),
        biases: normals(spins, 0.4),
        beta,
      });
    case 'all couplings equal': {
      const couplings = Array(pairs).fill(0.5 * r.normal());
      const biases = r.uniform() < 0.5 ? Array(spins).fill(0.3 * r.normal()) : undefined;
      return ising({ spins, edges: complete(spins), couplings, biases, beta });
    }
    case 'decoupled': {
      const edges: Edge[] = [
        [0, 1],
        [2, 3],
      ];
      const biases = r.uniform() < 0.5 ? normals(4, 0.3) : undefined;
      return ising({ spins: 4, edges, couplings: normals(2, 0.7), biases, beta });
    }
    case 'nearly degenerate': {
      const near = 10 ** (-2 - 8 * r.uniform());
      const couplings = Array(pairs).fill(0.4 * r.normal());
      return ising({
        spins,
        edges: complete(spins),
        couplings: couplings.map((x) => x + near * r.normal()),
        biases: normals(spins, near),
        beta,
      });
    }
    case 'strong':
      return ising({
        spins,
        edges: complete(spins),
        couplings: normals(pairs, 1.5),
        biases: normals(spins, 0.5),
        beta,
      });
    case 'RBM': {
      const [visible, hidden] = [2, spins - 2];
      const biased = r.uniform() < 0.7;
      return rbm({
        visible,
        hidden,
        weights: normals(visible * hidden, 0.8),
        visibleBiases: biased ? normals(visible, 0.4) : undefined,
        hiddenBiases: biased ? normals(hidden, 0.4) : undefined,
        beta,
      });
    }
    case 'blocks with inside edges':
      return ising({
        spins: 4,
        edges: complete(4),
        couplings: normals(6, 0.5),
        biases: r.uniform() < 0.5 ? normals(4, 0.4) : undefined,
        blocks: [[0, 2], [1], [3]],
        beta,
      });
  }
  return character satisfies never;
}

/** A direction with `|d|_1 = 1`: dense, or along few parameters. */
export function direction(length: number, r: Random): Float64Array {
  const sparse = r.uniform() < 0.5;
  const raw = Float64Array.from({ length }, () => (sparse && r.uniform() < 0.7 ? 0 : r.normal()));
  if (raw.every((x) => x === 0)) raw[r.integer(length)] = 1;
  const size = raw.reduce((sum, x) => sum + Math.abs(x), 0);
  return raw.map((x) => x / size);
}

/** How many cases a property runs: `HTDML_CASES`, or a number that takes a few seconds. */
export const CASES = Number(process.env.HTDML_CASES ?? 300);
/** For as long as that many cases may take. */
export const TIMEOUT = 60_000 * Math.max(1, CASES / 300);
