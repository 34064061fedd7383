import { type Model, parameterName } from '../model/model.js';
import type { ModelEvaluation } from '../trainability/evaluation.js';
import type { Claim, Gate } from '../trainability/gates.js';
import type { Predictor } from '../trainability/predictors.js';
import { num, textTable } from './format.js';
import { describeSnr, describeTimescale, type Measured } from './measure.js';

/** The evaluation as text for a terminal. */
export function describeEvaluation(model: Model, e: ModelEvaluation, measured: Measured | null): string {
  const sweeps = (steps: number) => `${num(steps, 7)} steps (${num(steps / e.stepsPerSweep)} sweeps)`;
  const chains = e.chains === 1 ? '1 chain' : `${e.chains} chains`;
  const head = [
    modelText(model),
    `${e.kernel}, ${e.start} start, burn-in ${sweeps(e.burnIn)}, window ${sweeps(e.window)}, ${chains}`,
  ];
  const { operational: o } = e;
  const facts: string[][] = [
    ['signal |g|^2', num(e.signal)],
    ['KL(data || model)', `${num(e.kl)} nats`],
    ['R, exact', o === null ? '-' : `${num(o.R)}${e.plateau ? '  (on the plateau, R < 1)' : ''}`],
  ];
  if (measured !== null) facts.push(describeSnr(measured));
  if (o !== null) {
    for (const [name, group] of Object.entries(o.groups)) facts.push([`  R of the ${name}`, num(group.R)]);
    facts.push(['squared error of the gradient', `${num(o.mse)}  (squared bias ${num(o.biasSquared)})`]);
  }
  if (e.positivePhase.share !== null && e.positivePhase.variance > 0) {
    const { variance, share } = e.positivePhase;
    facts.push(['  a sampled positive phase adds', `${num(variance)}  (${num(100 * share, 3)}% of both)`]);
  }
  facts.push(['spectral gap 1 - s_2', num(e.spectralGap)]);
  if (e.slowestObservable !== null) {
    const { parameter, integratedTime } = e.slowestObservable;
    facts.push([
      'slowest observable',
      `${parameterName(model, parameter)}, integrated time ${sweeps(Number(integratedTime.toPrecision(4)))}`,
    ]);
  }
  if (measured !== null) facts.push(...describeTimescale(model, e, measured));
  facts.push(['limiting factor', e.limitingFactor ?? '-']);
  if (e.certificate !== null) {
    const { radius, limitedBy } = e.certificate;
    facts.push(['slow cluster, certified', `up to ${num(radius)} in the 1-norm of theta  (limited by ${limitedBy})`]);
  }
  facts.push(['R / full R_hat, proven', e.trackingBound?.map((x) => num(x, 6)).join(' to ') ?? '-']);
  const { probes } = e.numerics;
  if (probes !== undefined) {
    const { timescale } = e.predictors.full;
    const share = timescale === null ? null : (100 * probes.timescale) / timescale;
    facts.push(['T from probes', `${probes.count}, standard error ${num(probes.timescale)} steps (${num(share, 3)}%)`]);
  }
  const named = Object.entries(e.gates);
  facts.push(['gates', `${named.flatMap(([name, { met }]) => (met ? [name] : [])).join(' ')} met`]);
  for (const [name, gate] of named) {
    if (!gate.met && name !== 'A9')
      facts.push([`  ${name} ${gate.met === null ? 'unchecked' : 'unmet'}`, gateText(gate)]);
  }
  facts.push(['claim', `conditional ${conditional(e.claim)}, operational ${e.claim.operational}`]);
  if (!e.numerics.converged) facts.push(['numerics', `NOT CONVERGED (${e.numerics.solver})`]);
  const width = Math.max(...facts.map(([name]) => name.length));
  // Those of the gates stand with the gates.
  const notes = e.notes.filter(({ path }) => !path.startsWith('gates.'));
  const predictors = Object.entries(e.predictors).map(([name, predictor]) => predictorRow(name, predictor));
  return [
    ...head,
    '',
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    textTable(['predictor', 'R_hat', 'T [steps]', 'mass', 'effective gap', 'groups'], predictors),
    ...(e.gradient ? ['', gradientTable(model, e.gradient)] : []),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${note.path}: ${note.reason}`)] : []),
  ].join('\n');
}

/** Kind and size of a model. */
export function modelText({ layers, spins, visible, biased, beta }: Model): string {
  const kind =
    layers === null
      ? `Ising, ${spins} spins (${visible.length} visible)`
      : `RBM, ${layers.visible} visible and ${layers.hidden} hidden spins`;
  return `${kind}, ${biased ? 'with' : 'without'} biases, beta ${num(beta)}`;
}

/** The conditional tier with the gates in its way. */
export function conditional({ conditional: tier, gates }: Claim): string {
  return gates.length === 0 ? tier : `${tier} (${gates.join(' ')})`;
}

/** The numbers of a gate, `value` first, and the reason for what is missing. */
export function gateText({ met: _, reason, ...numbers }: Gate): string {
  const one = (x: unknown) => (typeof x === 'number' ? num(x) : String(x));
  const known = Object.entries(numbers).flatMap(([name, x]) =>
    x === null ? [] : [`${name === 'value' ? '' : `${name} `}${Array.isArray(x) ? x.map(one).join(' to ') : one(x)}`],
  );
  return [...known, ...(reason === undefined ? [] : [reason])].join(', ');
}

function predictorRow(name: string, predictor: Predictor | 'symmetry-zero' | null): string[] {
  if (predictor === null) return [name, '-', '-', '-', '-', ''];
  if (predictor === 'symmetry-zero') return [name, predictor, '', '', '', ''];
  const { Rhat, timescale, slowMass, effectiveGap, groups } = predictor;
  return [name, num(Rhat), num(timescale), num(slowMass), num(effectiveGap), groups ? String(groups.length) : ''];
}

function gradientTable(model: Model, gradient: NonNullable<ModelEvaluation['gradient']>): string {
  const { kl, logRhatFull, logRhatSlowCluster, logRhatSoft, logEffectiveGap } = gradient;
  const columns = [
    ['d KL', kl],
    ['d log R_hat', logRhatFull],
    ['d log R_hat (slow cluster)', logRhatSlowCluster],
    ...(logRhatSoft === undefined ? [] : [['d log R_hat (soft)', logRhatSoft] as const]),
    ['d log effective gap', logEffectiveGap],
  ] as const;
  return textTable(
    ['parameter', 'value', ...columns.map(([name]) => name)],
    [...model.theta].map((value, a) => [
      parameterName(model, a),
      num(value),
      ...columns.map(([, column]) => num(column?.[a])),
    ]),
  );
}
