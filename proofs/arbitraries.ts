import type { Arbitrary } from 'fast-check';
import { type DataLaw, dataLawFromCounts, type Edge, ising, type KernelName, type Model, rbm, type Start } from 'htdml';
import { fc } from './fast-check.js';
import { complete } from './graphs.js';

/** One block per step, and every kernel with a spectrum in [0, 1]. */
export const mixtures: Arbitrary<KernelName> = fc.constantFrom('random-scan', 'random-block');
export const gibbsKernels: Arbitrary<KernelName> = fc.constantFrom(
  'random-scan',
  'random-block',
  'palindrome',
  'palindrome-block',
);

/** Every kernel that has modes; `metropolis` has a spectrum in [-1, 1]. */
export const reversibleKernels: Arbitrary<KernelName> = fc.oneof(
  { arbitrary: gibbsKernels, weight: 4 },
  { arbitrary: fc.constant<KernelName>('metropolis'), weight: 1 },
);

/** A number from `-size` to `size`. */
export const real = (size: number) => fc.double({ min: -size, max: size, noNaN: true });

export const reals = (length: number, size: number) => fc.array(real(size), { minLength: length, maxLength: length });

/** A number from `min` to `max`. */
export const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

export const betas = between(0.25, 2);

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

/** Any graph on `min` to `max` spins, with or without biases, hidden spins and blocks of its own; couplings up to 1 in units of 1 / beta up to 4. */
export const isingsOf = (min: number, max: number): Arbitrary<Model> =>
  fc.integer({ min, max }).chain((spins) =>
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

/** Any Ising model of two to five spins. */
export const isings: Arbitrary<Model> = isingsOf(2, 5);

/** Up to four by three spins either way round, down to one by one, with or without biases. */
export const rbms: Arbitrary<Model> = fc
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

/** A law on one or more patterns of a model's visible spins. */
export const dataFor = (model: Model): Arbitrary<DataLaw> =>
  fc
    .uniqueArray(fc.tuple(fc.nat(2 ** model.visible.length - 1), between(0.01, 1)), {
      minLength: 1,
      selector: ([pattern]) => pattern,
    })
    .map((counts) => dataLawFromCounts(model.visible.length, counts));

/** A model with data. */
export const problems = (models: Arbitrary<Model> = fc.oneof(isings, rbms)) =>
  models.chain((model) => fc.tuple(fc.constant(model), dataFor(model)));

/** A law for the chain to start from. */
export const startsFor = (model: Model): Arbitrary<Start> =>
  fc.oneof(
    fc.constantFrom<Start>('uniform', 'data'),
    fc.nat(2 ** model.spins - 1).map((s): Start => `state:${s}`),
  );

/** Burn-in and window in kernel steps. */
export const estimators = fc.record({ burnIn: fc.nat(60), window: fc.integer({ min: 1, max: 200 }) });
