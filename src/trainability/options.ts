import { InputError, show } from '../errors.js';

interface Rule {
  readonly ok: (value: number) => boolean;
  readonly expected: string;
  readonly remedy: string;
}

/** Beyond so many, observable by observable is cheaper, and exact. */
const MAX_PROBES = 1024;

const whole = (least: number, what: string): Rule => ({
  ok: (value) => Number.isSafeInteger(value) && value >= least,
  expected: `a whole number of at least ${least}`,
  remedy: `give the number of ${what}`,
});

const RULES = {
  burnIn: whole(0, 'kernel steps to discard'),
  window: whole(1, 'kernel steps to average'),
  chains: whole(1, 'independent chains'),
  repetitions: whole(2, 'independent repetitions; an error bar needs two'),
  seed: whole(0, 'the seed'),
  probes: {
    ok: (value) => Number.isInteger(value) && value >= 1 && value <= MAX_PROBES,
    expected: `a whole number from 1 to ${MAX_PROBES}`,
    remedy: 'eight cost what one does, and the error falls with the square root of their number',
  },
  steps: {
    ok: (value) => Number.isSafeInteger(value) && value >= 2 && value <= 10_000,
    expected: 'a whole number from 2 to 10000',
    remedy: 'give the number of intervals between samples',
  },
  epsilon: {
    ok: (value) => value > 0 && value < 1,
    expected: 'a number between 0 and 1',
    remedy: 'give the weight share from which a group is relevant, 1e-3 by default',
  },
  kappa: {
    ok: (value) => value >= 1 && Number.isFinite(value),
    expected: 'a finite number of at least 1',
    remedy: 'give the width of the slow cluster, 2.5 by default',
  },
  eta: {
    ok: (value) => value > 0 && Number.isFinite(value),
    expected: 'a positive finite number',
    remedy: 'give the width of the soft window per kernel step, for example 0.01',
  },
} as const satisfies Record<string, Rule>;

type Name = keyof typeof RULES;

/** Refuses options out of range with an {@link InputError}; `names` maps an option to what the caller calls it. */
export function checkOptions<N extends Name>(
  options: Readonly<Record<N, number>>,
  checked: readonly N[],
  names: Readonly<Partial<Record<Name, string>>> = {},
): void {
  for (const name of checked) {
    const { ok, expected, remedy } = RULES[name];
    const value = options[name];
    if (!ok(value)) throw new InputError({ field: names[name] ?? name, expected, got: show(value), remedy });
  }
}
