import {
  DEFAULT_GATE_THRESHOLDS,
  DEFAULT_REFERENCES,
  type MeasuredSnr,
  type ModelEvaluation,
  modelToJson,
  readModel,
} from 'htdml';
import { describe, expect, test } from 'vitest';
import { affordableChains } from '../../src/cli/measure.js';
import { type Finished, GOOD, htdml, scratch, startHtdml } from '../support/cli.js';
import { complete } from '../support/models.js';

const { write } = scratch();
const ring = write('ring.json', GOOD.ring);
const teacher = write('teacher.json', GOOD.teacher);
const weights = [
  [0.4, -0.2],
  [0.1, 0.5],
  [-0.6, 0.3],
  [0.2, 0.2],
];
const rbm = write('rbm.json', {
  kind: 'rbm',
  visible: 4,
  hidden: 2,
  beta: 1,
  weights,
  visibleBiases: [0, 0.1, 0, -0.2],
  hiddenBiases: [0.3, 0],
});
const data = write('data.csv', '1,0,1,0\n0,0,1,1\n1,1,1,1\n0,1,0,0\n');
/** Two ground states that a chain never leaves in double precision. */
const cold = write('cold.json', { ...GOOD.ring, couplings: [400, 400, 400, 400], biases: [0, 0, 0, 0] });
const flat = { spins: 12, edges: complete(12), couplings: Array(66).fill(0.02), biases: Array(12).fill(0.1) };
const large = write('large.json', { kind: 'ising', beta: 1, ...flat });

/** One JSON object on standard output and nothing else anywhere. */
function json({ code, stdout, stderr }: Finished, expected = 0): ModelEvaluation {
  expect([code, stderr]).toEqual([expected, '']);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as ModelEvaluation;
}

const TOP =
  'schemaVersion model kernel stepsPerSweep burnIn window chains start estimate signal kl plateau operational positivePhase predictors certificate trackingBound spectralGap limitingFactor gates gateThresholds references claim notes';
const PREDICTOR = ['Rhat', 'timescale', 'slowMass', 'effectiveGap'];
const keys = (value: object | null | undefined) => Object.keys(value ?? {}).sort();

function checkSchema(e: ModelEvaluation, gradient: boolean) {
  expect(keys(e)).toEqual(
    [...TOP.split(' '), 'numerics', 'slowestObservable', ...(gradient ? ['gradient'] : [])].sort(),
  );
  expect(e.schemaVersion).toBe(1);
  expect(keys(e.predictors)).toEqual(['full', 'relevant', 'singleGap', 'singleRelevantGap', 'slowCluster']);
  expect(keys(e.claim)).toEqual(['conditional', 'gates', 'operational']);
  expect(Object.keys(e.gates)).toEqual('A1 A2 A3 A4 A5 A6 A7 A8 A9 F4'.split(' '));
  expect(keys(e.predictors.full)).toEqual([...PREDICTOR].sort());
  for (const name of ['relevant', 'slowCluster'] as const) {
    if (e.predictors[name] === null) continue;
    expect(keys(e.predictors[name])).toEqual([...PREDICTOR, 'groups'].sort());
    for (const group of e.predictors[name].groups ?? [])
      expect(keys(group)).toEqual(['eigenvalue', 'multiplicity', 'weight']);
  }
  if (e.operational !== null) {
    expect(keys(e.operational)).toEqual(['R', 'biasSquared', 'groups', 'mse']);
    for (const group of Object.values(e.operational.groups)) expect(keys(group)).toEqual(['R', 'signal']);
  }
  if (gradient) expect(keys(e.gradient)).toEqual(['kl', 'logEffectiveGap', 'logRhatFull', 'logRhatSlowCluster']);
  for (const note of e.notes) expect(keys(note)).toEqual(['path', 'reason']);
}

/** Paths of everything that is null. */
function nulls(value: unknown, path = ''): string[] {
  if (value === null) return [path];
  if (typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => nulls(inner, path === '' ? key : `${path}.${key}`));
}

const unexplained = (e: ModelEvaluation) =>
  nulls(e).filter((path) => !e.notes.some((note) => path === note.path || path.startsWith(`${note.path}.`)));

describe.concurrent('a model without biases', () => {
  test('as text', async () => {
    const { code, stdout, stderr } = await htdml(['evaluate', ring, '--teacher', teacher]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Ising, 4 spins \(4 visible\), without biases, beta 1\n/);
    expect(stdout).toMatch(
      /^random-scan, uniform start, burn-in 400 steps \(100 sweeps\), window 4000 steps \(1000 sweeps\), 1 chain$/m,
    );
    expect(stdout).toMatch(/^singleGap +symmetry-zero$/m);
    for (const name of ['full', 'relevant', 'slowCluster', 'singleRelevantGap']) {
      expect(stdout).toMatch(new RegExp(`^${name}( +[\\d.e-]+){4,5}$`, 'm'));
    }
    expect(stdout).toMatch(/^R, exact +[\d.]+/m);
    expect(stdout).toMatch(/^R \/ full R_hat, proven +1\.00\d+ to 1\.00\d+$/m);
    expect(stdout).toMatch(/^gates +A1 A2 A3 A4 A5 A6 A7 A8 F4 met$/m);
    expect(stdout).toMatch(/^claim +conditional met, operational tracked$/m);
    expect(stdout).not.toMatch(/unmet|unchecked|^note/m);
    expect(stdout).not.toMatch(/NaN|undefined|Infinity|null|\[object/);
  });

  test('as JSON', async () => {
    const e = json(await htdml(['evaluate', ring, '--teacher', teacher, '--json']));
    checkSchema(e, false);
    expect(e.model).toEqual(modelToJson(readModel(ring)));
    const { singleGap, full, relevant, slowCluster, singleRelevantGap } = e.predictors;
    expect(singleGap).toBe('symmetry-zero');
    for (const predictor of [full, relevant, slowCluster, singleRelevantGap]) {
      for (const key of PREDICTOR) expect(predictor?.[key as 'Rhat']).toBeGreaterThan(0);
    }
    expect(keys(e.operational?.groups)).toEqual(['couplings']);
    expect(unexplained(e)).toEqual([]);
  });
});

describe.concurrent('with biases', () => {
  test('every option reaches the result', async () => {
    const common = ['evaluate', rbm, '--data', data, '--json'];
    const plain = json(await htdml(common));
    checkSchema(plain, false);
    expect(plain).toMatchObject({
      kernel: 'random-scan',
      stepsPerSweep: 6,
      burnIn: 600,
      window: 6000,
      chains: 1,
      start: 'uniform',
    });
    const rest =
      '--kernel random-block --burn-in 7 --window 30sweeps --chains 3 --start state:5 --epsilon 0.2 --kappa 1 --gradient';
    const e = json(await htdml([...common, ...rest.split(' ')]));
    checkSchema(e, true);
    expect(e).toMatchObject({
      kernel: 'random-block',
      stepsPerSweep: 2,
      burnIn: 7,
      window: 60,
      chains: 3,
      start: 'state:5',
    });
    // Fewer groups are relevant at a larger epsilon, and at kappa 1 the cluster ends with the slowest of them.
    expect(e.predictors.relevant?.groups?.length).toBeLessThan(plain.predictors.relevant?.groups?.length ?? 0);
    expect(e.predictors.slowCluster?.groups?.at(-1)).toEqual(e.predictors.relevant?.groups?.[0]);
    for (const list of Object.values(e.gradient ?? {})) expect(list).toHaveLength(14);
    expect(typeof e.predictors.singleGap).toBe('object');
    expect(keys(e.operational?.groups)).toEqual(['biases', 'couplings']);
    expect(unexplained(e)).toEqual([]);
  });

  test('gates that are unmet or unchecked have a line each, with numbers and reasons', async () => {
    const short = 'evaluate --burn-in 5 --window 20 --chains 2'.split(' ');
    const { code, stdout } = await htdml([...short, rbm, '--data', data]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^R \/ full R_hat, proven +-$/m);
    expect(stdout).toMatch(/^ {2}A5 unmet +5, needed [\d.]+, logChi [\d.]+, gap [\d.]+$/m);
    expect(stdout).toMatch(/^ {2}A6 unmet +20, needed [\d.]+, delta1 [\d.]+$/m);
    expect(stdout).toMatch(/^claim +conditional unmet \(A5 A6.*\), operational /m);
    expect(stdout).toMatch(/^note: trackingBound: .*one chain/m);
    const big = await htdml([...short, large, '--teacher', large]);
    expect(big.stdout).toMatch(/^ {2}A8 unchecked +all modes are known up to 1024 states$/m);
    for (const text of [stdout, big.stdout]) {
      expect(text).not.toMatch(/NaN|undefined|Infinity|null|\[object|note: gates|A9/);
    }
  });

  test('thresholds and references of the run decide and are written down', async () => {
    const common = ['evaluate', rbm, '--data', data, '--json'];
    const plain = json(await htdml(common));
    const flags = '--gate windowTimes=1e6 --gate bulkRelaxation=1.9 --reference window=1e9'.split(' ');
    const e = json(await htdml([...common, ...flags]));
    expect(e.gateThresholds).toEqual({ ...DEFAULT_GATE_THRESHOLDS, windowTimes: 1e6, bulkRelaxation: 1.9 });
    expect(e.references).toEqual({ ...DEFAULT_REFERENCES, window: 1e9 });
    expect([plain.gates.A6.met, e.gates.A6.met]).toEqual([true, false]);
    expect(e.gates.A7.needed).toBe(1.9);
    expect([plain.limitingFactor, e.limitingFactor]).toEqual([expect.not.stringMatching('budget'), 'budget']);
    expect(e.operational).toEqual(plain.operational);
  });

  test('a stationary start has no bias', async () => {
    const e = json(await htdml(['evaluate', rbm, '--data', data, '--start', 'stationary', '--json']));
    expect(e.operational?.biasSquared).toBe(0);
  });
});

describe.concurrent('its own teacher', () => {
  const biased = write('biased.json', {
    ...GOOD.teacher,
    couplings: [0.71, 0.43, -0.57, 0.33],
    biases: [0.31, -0.13, 0.2, 0.7],
  });
  test.each([
    ['without biases', ring],
    ['with biases', biased],
    ['an RBM', rbm],
  ])('%s: R_hat is zero and has no gradient', async (_, model) => {
    const e = json(await htdml(['evaluate', model, '--teacher', model, '--json', '--gradient']));
    expect(e.kl).toBeLessThan(64 * Number.EPSILON);
    expect(e.predictors.full.Rhat).toBe(0);
    expect(e.gradient?.logRhatFull).toBe(null);
    expect(e.gradient?.logRhatSlowCluster).toBe(null);
    expect(e.gradient?.logEffectiveGap).not.toBe(null);
    expect(e.claim.operational).toBe('untested');
    expect(unexplained(e)).toEqual([]);
  });
});

describe.concurrent('where something has no finite value', () => {
  test('a chain too slow for double precision: exit code 3 and still the JSON', async () => {
    const e = json(await htdml(['evaluate', cold, '--teacher', teacher, '--json', '--gradient']), 3);
    checkSchema(e, true);
    expect(e.numerics.converged).toBe(false);
    expect(e.predictors.full).toMatchObject({ Rhat: null, timescale: null, effectiveGap: null });
    expect(e.claim).toEqual({ conditional: 'unmet', gates: ['A3'], operational: 'untested' });
    expect(e.gradient?.logRhatFull).toBe(null);
  });

  test('as text: exit code 3 and a line that says so', async () => {
    const { code, stdout, stderr } = await htdml(['evaluate', cold, '--teacher', teacher]);
    expect([code, stderr]).toEqual([3, '']);
    expect(stdout).toMatch(/^numerics +NOT CONVERGED/m);
    expect(stdout).toMatch(/^full +- +- +\d+ +-$/m);
    expect(stdout).not.toMatch(/NaN|undefined|Infinity/);
  });

  test.each([
    ['too slow', cold, teacher, 3],
    ['too many states for modes and propagation', large, large, 0],
  ])('%s: every null has its note', async (_, model, source, code) => {
    const e = json(await htdml(['evaluate', model, '--teacher', source, '--json', '--gradient']), code);
    expect(nulls(e).length).toBeGreaterThan(5);
    expect(unexplained(e)).toEqual([]);
  });
});

test('a reader that stops reading is no crash', async () => {
  const { process: child, finished } = startHtdml(['evaluate', rbm, '--data', data, '--json', '--gradient']);
  child.stdout?.destroy();
  const { stderr } = await finished;
  expect(stderr).toBe('');
});

describe.concurrent('--measure', () => {
  test('R by sampling, reproducible by its seed, within four standard errors of the exact one', async () => {
    const args = ['evaluate', ring, '--teacher', teacher, '--window', '40', '--measure', '400', '--json'];
    const [first, again, other] = await Promise.all([htdml(args), htdml(args), htdml([...args, '--seed', '2'])]);
    const measured = (run: Finished) => (json(run) as ModelEvaluation & { measured: MeasuredSnr }).measured;
    expect(measured(again)).toEqual(measured(first));
    expect(measured(other)).not.toEqual(measured(first));
    const { R, standardError, repetitions } = measured(first);
    expect(repetitions).toBe(400);
    expect(Math.abs(R - (json(first).operational?.R ?? Number.NaN))).toBeLessThan(4 * standardError);
  });

  type WithTimescale = ModelEvaluation & {
    measured: { timescale: { T: number; standardError: number; tauMax: number; missing?: readonly string[] } };
  };

  test('the timescale beside the exact one, in JSON and as text', async () => {
    const args = ['evaluate', ring, '--teacher', teacher, '--measure', '20'];
    const [first, again, text] = await Promise.all([
      htdml([...args, '--json']),
      htdml([...args, '--json']),
      htdml(args),
    ]);
    const { measured, predictors, slowestObservable, stepsPerSweep } = json(first) as WithTimescale;
    expect((json(again) as WithTimescale).measured.timescale).toEqual(measured.timescale);
    const { timescale } = measured;
    expect(keys(timescale)).toEqual(
      ['T', 'standardError', 'tauMax', 'slowestObservable', 'verdict', 'steps', 'chains'].sort(),
    );
    expect(timescale).toMatchObject({ verdict: 'resolved', chains: 20, steps: 20 * 1000 * stepsPerSweep });
    const { T, standardError, tauMax } = timescale;
    expect(Math.abs(T - (predictors.full.timescale ?? Number.NaN))).toBeLessThan(4 * standardError);
    expect(Math.abs(tauMax / (slowestObservable?.integratedTime ?? Number.NaN) - 1)).toBeLessThan(0.2);
    expect(text.stdout).toMatch(
      /^T, measured +[\d.]+ \+- [\d.]+ steps, exact [\d.]+ {2}\(resolved, slowest J\[\d,\d\]: [\d.]+; 80000 steps in 20 chains\)$/m,
    );
    expect(text.stdout).not.toMatch(/^ {2}missing/m);
  });

  test('chains that are too short say what is missing, and two repetitions are measured by four chains', async () => {
    const args = ['evaluate', ring, '--teacher', teacher, '--measure', '2', '--window', '8'];
    const [asJson, text] = await Promise.all([htdml([...args, '--json']), htdml(args)]);
    const { timescale } = (json(asJson) as WithTimescale).measured;
    expect(timescale).toMatchObject({ verdict: 'unresolved', chains: 4, steps: 32 });
    expect(timescale.missing?.length).toBeGreaterThan(0);
    expect(text.stdout).toMatch(/^T, measured .*\(unresolved, /m);
    expect(text.stdout.match(/^ {2}missing /gm)?.length).toBe(timescale.missing?.length);
  });

  test('chains that stay where they settle: unresolved, and no number that is not one', async () => {
    const args = ['evaluate', cold, '--teacher', teacher, '--measure', '5', '--window', '50'];
    const [asJson, text] = await Promise.all([htdml([...args, '--json']), htdml(args)]);
    const { timescale } = (json(asJson, 3) as WithTimescale).measured;
    expect(timescale.missing?.[0]).toMatch(/^\d of 8 observables never changed/);
    expect(text.stdout).toMatch(/^T, measured .*, exact - {2}\(unresolved/m);
    expect(text.stdout).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  test('no more is analysed than takes a few seconds, by fewer and then by shorter chains', () => {
    const small = readModel(ring);
    const big = readModel(large);
    const asked = (window: number, repetitions: number) => ({ window, repetitions });
    expect(affordableChains(small, asked(4000, 200))).toEqual({ window: 4000, chains: 200 });
    expect(affordableChains(small, asked(4000, 2))).toEqual({ window: 4000, chains: 4 });
    expect(affordableChains(big, asked(12_000, 200))).toEqual({ window: 12_000, chains: 10 });
    for (const window of [1e6, Number.MAX_SAFE_INTEGER]) {
      expect(affordableChains(big, asked(window, 200))).toEqual({ window: 32_051, chains: 4 });
    }
  });

  test('one repetition has no error bar and is refused', async () => {
    const { code, stdout, stderr } = await htdml(['evaluate', ring, '--teacher', teacher, '--measure', '1']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^htdml: --measure must be a whole number of at least 2, got 1; [^\n]+\.\n$/);
  });
});
