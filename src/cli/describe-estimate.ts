import type { EstimateReport, ReportedDerivative } from '../estimation/estimate-report.js';
import { type Model, parameterName } from '../model/model.js';
import { conditional, gateText, modelText } from './describe-evaluation.js';
import { num, textTable } from './format.js';

/** The estimate as text for a terminal. */
export function describeEstimate(model: Model, e: EstimateReport): string {
  const sweeps = (steps: number) => `${num(steps, 7)} steps (${num(steps / e.stepsPerSweep)} sweeps)`;
  const chains = e.chains === 1 ? '1 chain' : `${e.chains} chains`;
  const { sampling: s, timescale: t } = e;
  const head = [
    modelText(model),
    `${e.kernel}, burn-in ${sweeps(e.burnIn)}, window ${sweeps(e.window)}, ${chains}`,
    `${s.samples} samples of each of ${s.chains} chains, ${s.apart} ${s.tempering ? 'steps' : 'sweeps'} apart after ${s.burnIn}, seed ${s.seed}`,
  ];
  const { tempering } = s;
  const facts: string[][] = [['signal |g|^2', withError(e.signal)]];
  facts.push(['  of the couplings', withError(e.signal.couplings)]);
  if (e.signal.biases !== null) facts.push(['  of the biases', withError(e.signal.biases)]);
  const steps = t.slack > 0 ? `, ${num(t.slack)} may be left out` : '';
  facts.push(['T, from below', `${withError({ value: t.bound, ...t })} steps  (95%: ${interval(t.interval)}${steps})`]);
  facts.push(['slowest observable', `integrated time at least ${sweeps(Number(t.tauMax.toPrecision(4)))}`]);
  facts.push(['chains', `split R-hat ${num(t.splitRhat)}, agreement of starts p = ${num(t.startPValue, 2)}`]);
  if (tempering !== undefined) {
    const [low, high] = [Math.min(...tempering.acceptance), Math.max(...tempering.acceptance)];
    const time =
      tempering.energyTime === null ? '' : `, energy's integrated time ${num(tempering.energyTime, 3)} steps`;
    facts.push([
      'tempering',
      `${tempering.betas.length} replicas, swaps ${num(low, 2)} to ${num(high, 2)}, ${tempering.roundTrips} round trips${time}`,
    ]);
  }
  facts.push(['effective gap', e.effectiveGap === null ? '-' : withError(e.effectiveGap)]);
  facts.push(['R_hat', e.Rhat === null ? rhatAtMost(e) : `${withError(e.Rhat)}  (95%: ${interval(e.Rhat.interval)})`]);
  if (e.plateau?.below) facts.push(['', `on the plateau, R_hat < 1${e.plateau.certain ? '' : ', but not certainly'}`]);
  facts.push(['limiting factor', e.limitingFactor ?? '-']);
  facts.push(['verdict', e.verdict], ...e.missing.map((reason) => ['  missing', reason]));
  const named = Object.entries(e.gates);
  facts.push(['gates', `${named.flatMap(([name, { met }]) => (met ? [name] : [])).join(' ')} met`]);
  for (const [name, gate] of named) {
    if (!gate.met && name !== 'A9')
      facts.push([`  ${name} ${gate.met === null ? 'unchecked' : 'unmet'}`, gateText(gate)]);
  }
  facts.push(['claim', `conditional ${conditional(e.claim)}, operational ${e.claim.operational}`]);
  const width = Math.max(...facts.map(([name]) => name.length));
  const notes = e.notes.filter(({ path }) => !path.startsWith('gates.') && path !== 'signal.biases');
  const sequence = t.sequence.map(({ name, features, timescale, standardError }) => [
    name,
    String(features),
    num(timescale),
    num(standardError, 2),
  ]);
  return [
    ...head,
    '',
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    textTable(['features up to', 'count', 'T at least [steps]', '+-'], sequence),
    ...(e.gradient ? ['', gradientTable(model, e.gradient)] : []),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${note.path}: ${note.reason}`)] : []),
  ].join('\n');
}

function withError({ value, standardError }: { readonly value: number; readonly standardError: number }): string {
  return `${num(value)} +- ${num(standardError, 2)}`;
}

function rhatAtMost({ RhatAtMost }: EstimateReport): string {
  return RhatAtMost === null ? '-' : `at most ${num(RhatAtMost)}: the signal is not told from zero`;
}

function interval([low, high]: readonly [number, number]): string {
  return `${num(low)} to ${num(high)}`;
}

function gradientTable(model: Model, gradient: NonNullable<EstimateReport['gradient']>): string {
  const { timescale, logEffectiveGap, logRhat } = gradient;
  const columns: readonly (readonly [string, ReportedDerivative | null])[] = [
    ['d T', timescale],
    ['d log effective gap', logEffectiveGap],
    ['d log R_hat', logRhat],
  ];
  return textTable(
    ['parameter', 'value', ...columns.flatMap(([name]) => [name, '+-'])],
    [...model.theta].map((value, a) => [
      parameterName(model, a),
      num(value),
      ...columns.flatMap(([, one]) => [num(one?.value[a]), num(one?.standardError?.[a], 2)]),
    ]),
  );
}
