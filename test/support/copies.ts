import { createRoute, type Edge, ising, type KernelName, type Model, randomSource, teacherLaw } from 'htdml';

const EDGES: Edge[] = Array.from({ length: 9 }, (_, i): Edge[] => [
  ...(i % 3 < 2 ? [[i, i + 1] as const] : []),
  ...(i < 6 ? [[i, i + 3] as const] : []),
]).flat();

/** A model of many observables whose timescale is known: copies of three 3 x 3 lattices that do not feel each other. Under a mixture over blocks a copy's observables move as if it were alone, so `T` is a sum; of single spins a copy has its share of the steps, so that `T + Var f / 2` is as many times as large. */
export function copiesOfLattices(copies: number, scale: number, seed: number) {
  const random = randomSource(seed);
  const lattices = [0, 1, 2].map(() =>
    ising({
      spins: 9,
      edges: EDGES,
      couplings: EDGES.map(() => scale * random.normal()),
      biases: Array.from({ length: 9 }, () => 0.3 * scale * random.normal()),
    }),
  );
  const list = Array.from({ length: copies }, (_, c) => lattices[c % 3]);
  const model: Model = ising({
    spins: 9 * copies,
    edges: list.flatMap((_, c) => EDGES.map(([i, j]) => [9 * c + i, 9 * c + j] as const)),
    couplings: list.flatMap(({ theta }) => [...theta.slice(0, EDGES.length)]),
    biases: list.flatMap(({ theta }) => [...theta.slice(EDGES.length)]),
  });
  const timescale = (kernel: KernelName) => {
    const of = lattices.map((lattice) => {
      const { value } = createRoute(lattice, teacherLaw(lattice), { kernel }).evaluate(lattice.theta, [
        'timescale',
        'variance',
      ]);
      const { timescale: T = Number.NaN, variance = Number.NaN } = value;
      return kernel === 'random-scan' ? copies * (T + variance / 2) - variance / 2 : T;
    });
    return list.reduce((sum, _, c) => sum + of[c % 3], 0);
  };
  return { model, timescale };
}
