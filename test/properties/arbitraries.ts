import fc from 'fast-check';
import { type DataLaw, dataLawFromCounts, type Edge, ising, type Model, rbm } from 'htdml';
import { complete, MIXTURES } from '../support/models.js';

/** Every property runs the same hundred cases each time. */
export const RUNS = { seed: 20_251, numRuns: 100 } as const;

export const kernels = fc.constantFrom(...MIXTURES);

export const real = (size: number) => fc.double({ min: -size, max: size, noNaN: true });

const reals = (length: number, size: number) => fc.array(real(size), { minLength: length, maxLength: length });

const betas = fc.double({ min: 0.25, max: 2, noNaN: true });

/** An order of the numbers below n. */
export const order = (n: number) =>
  fc.shuffledSubarray(
    Array.from({ length: n }, (_, i) => i),
    { minLength: n, maxLength: n },
  );

/** A partition into blocks, by a label per spin. */
const partition = (n: number) =>
  fc
    .tuple(order(n), fc.array(fc.nat(n - 1), { minLength: n, maxLength: n }))
    .map(([spins, labels]) =>
      labels.map((_, label) => spins.filter((i) => labels[i] === label)).filter((block) => block.length > 0),
    );

/** Any graph on two to five spins, with or without biases, hidden spins and blocks of its own; couplings up to 1 in units of 1 / beta up to 4. */
export const isings: fc.Arbitrary<Model> = fc.integer({ min: 2, max: 5 }).chain((spins) =>
  fc
    .tuple(
      fc.shuffledSubarray(complete(spins) as Edge[], { minLength: 1 }),
      betas,
      fc.option(reals(spins, 1), { nil: undefined }),
      fc.shuffledSubarray(
        Array.from({ length: spins }, (_, i) => i),
        { minLength: 1 },
      ),
      fc.option(partition(spins), { nil: undefined }),
    )
    .chain(([edges, beta, biases, visible, blocks]) =>
      reals(edges.length, 1).map((couplings) => ising({ spins, edges, couplings, biases, beta, visible, blocks })),
    ),
);

/** Up to four by three spins either way round, down to one by one, with or without biases. */
export const rbms: fc.Arbitrary<Model> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), fc.boolean(), fc.boolean(), betas)
  .chain(([a, b, swap, biased, beta]) => {
    const [visible, hidden] = swap ? [b, a] : [a, b];
    return fc.tuple(reals(visible * hidden, 1), reals(visible, 1), reals(hidden, 1)).map(([weights, v, h]) =>
      rbm({
        visible,
        hidden,
        beta,
        weights,
        visibleBiases: biased ? v : undefined,
        hiddenBiases: biased ? h : undefined,
      }),
    );
  });

/** A law on one or more patterns. */
export const dataFor = (model: Model): fc.Arbitrary<DataLaw> =>
  fc
    .uniqueArray(fc.tuple(fc.nat(2 ** model.visible.length - 1), fc.double({ min: 0.01, max: 1, noNaN: true })), {
      minLength: 1,
      selector: ([pattern]) => pattern,
    })
    .map((counts) => dataLawFromCounts(model.visible.length, counts));

/** A model of either kind with data. */
export const problems = (models: fc.Arbitrary<Model> = fc.oneof(isings, rbms)) =>
  models.chain((model) => fc.tuple(fc.constant(model), dataFor(model)));
