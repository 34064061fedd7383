import { readFileSync } from 'node:fs';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { expectRefusal, GOOD, htdml, scratch } from '../support/cli.js';

const { write, path } = scratch();

const ring = (couplings: readonly number[]) => ({ ...GOOD.ring, couplings });
/** Two pairs without an edge between them, whose rates cross half-way, and a level that enters the window. */
const pairs = (a: number, b: number) => ({
  kind: 'ising',
  spins: 4,
  beta: 1,
  edges: [
    [0, 1],
    [2, 3],
  ],
  couplings: [a, b],
  biases: [0, 0, 0, 0],
});
const files = {
  from: write('a.json', ring([0.5, -0.3, 0.4, 0.2])),
  to: write('b.json', ring([1.5, 0.9, -0.8, 1.1])),
  left: write('left.json', pairs(0.2, 0.8)),
  right: write('right.json', pairs(0.8, 0.2)),
  teacher: write('teacher.json', GOOD.teacher),
};
const TEACHER = ['--teacher', files.teacher];

async function report(args: readonly string[]) {
  const { code, stdout, stderr } = await htdml(['path', ...args, '--json']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

const GROUP = { eigenvalue: expect.any(Number), multiplicity: expect.any(Number), weight: expect.any(Number) };

describe('htdml path', () => {
  test('prints samples, crossings and events as one JSON object', async () => {
    const { samples, crossings, events, ...rest } = await report([files.from, files.to, ...TEACHER, '--steps', '8']);
    expect(rest).toEqual({
      schemaVersion: 1,
      kernel: 'random-scan',
      rule: 'window',
      epsilon: 1e-3,
      kappa: 2.5,
      steps: 8,
      window: 4000,
      uncertified: expect.any(Array),
      evaluations: expect.any(Number),
    });
    expect(samples.map(({ at }: { at: number }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map((k) => k / 8));
    for (const sample of samples) {
      expect(sample).toEqual({ at: sample.at, logRhat: expect.any(Number), groups: expect.any(Array) });
      for (const group of sample.groups) expect(group).toEqual(GROUP);
    }
    expect(events.length).toBeGreaterThan(0);
    for (const event of events) {
      expect(event).toEqual({
        type: expect.stringMatching(/^(enters|leaves|slows-down|speeds-up|joins|splits|anchor)$/),
        at: expect.any(Number),
        groups: expect.any(Array),
        jumpLogRhat: expect.any(Number),
      });
      for (const group of event.groups) expect(group).toEqual(GROUP);
    }
    for (const crossing of crossings) {
      expect(crossing).toEqual({
        at: expect.any(Number),
        inside: expect.any(Boolean),
        kind: expect.stringMatching(/^(true|avoided)$/),
        eigenvalues: [expect.any(Number), expect.any(Number)],
      });
    }
  });

  test('agrees with evaluate at the ends, and finds the same events on any grid', async () => {
    const coarse = await report([files.from, files.to, ...TEACHER, '--steps', '2']);
    const fine = await report([files.from, files.to, ...TEACHER, '--steps', '40']);
    expect(fine.events).toEqual(coarse.events);
    for (const [file, sample] of [
      [files.from, coarse.samples[0]],
      [files.to, coarse.samples[2]],
    ]) {
      const { stdout } = await htdml(['evaluate', file, ...TEACHER, '--json']);
      const { slowCluster } = JSON.parse(stdout).predictors;
      expect(Math.abs(Math.exp(sample.logRhat) / slowCluster.Rhat - 1)).toBeLessThan(1e-12);
      expect(sample.groups.length).toBe(slowCluster.groups.length);
    }
  });

  test('takes either rule and all reversible Gibbs kernels', async () => {
    const relevance = await report([files.left, files.right, ...TEACHER, '--rule', 'relevance', '--epsilon', '0.01']);
    expect(relevance).toMatchObject({ rule: 'relevance', epsilon: 0.01 });
    for (const kernel of ['random-block', 'palindrome', 'palindrome-block']) {
      const { samples } = await report([files.from, files.to, ...TEACHER, '--kernel', kernel, '--kappa', '2']);
      expect(samples.length).toBe(101);
    }
  });

  test('a model and itself: nothing happens', async () => {
    for (const rule of ['window', 'relevance']) {
      const { events, crossings, uncertified } = await report([files.left, files.left, ...TEACHER, '--rule', rule]);
      expect({ events, crossings, uncertified }).toEqual({ events: [], crossings: [], uncertified: [] });
    }
  });

  test('a model that is its own teacher has no signal there, and says null', async () => {
    const { samples } = await report([files.from, files.to, '--teacher', files.from, '--steps', '2']);
    expect(samples[0].logRhat).toBeNull();
    expect(samples[2].logRhat).toEqual(expect.any(Number));
  });

  test('says it in words, and writes a page that stands alone', async () => {
    const page = path('path.html');
    const { code, stdout } = await htdml(['path', files.left, files.right, ...TEACHER, '--report', page]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^from .*left\.json to .*right\.json: random-scan, window rule, epsilon 0\.001, kappa 2\.5\n/,
    );
    expect(stdout).toMatch(
      /\n\d+ events and 1 crossing from \d+ spectra; a share of \S+ of the path is not certified\n/,
    );
    expect(stdout).toMatch(/\nslows-down +0\.\d+ /);
    expect(stdout).toMatch(/\ntrue +0\.5 /);
    const html = readFileSync(page, 'utf8');
    const { document } = parseHTML(html);
    expect(html).not.toMatch(/(src|href)="(?!#|data:)/);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect([...document.querySelectorAll('h2')].map((node) => node.textContent)).toEqual([
      'The set of modes along the path',
      'Events',
      'Crossings',
    ]);
    expect(document.querySelectorAll('svg').length).toBeGreaterThan(0);
    expect(document.querySelectorAll('table').length).toBe(2);
  });
});

describe('what htdml path refuses', () => {
  const refused = async (args: readonly string[]) => expectRefusal(await htdml(['path', ...args]));

  test.each([
    ['another beta', { ...GOOD.ring, beta: 2 }, /beta of the second model must be 1 as in the first, got 2; multiply/],
    [
      'other edges',
      {
        ...GOOD.ring,
        edges: [
          [0, 1],
          [1, 2],
          [2, 3],
          [3, 1],
        ],
      },
      /edges of the second model must be/,
    ],
    ['another size', GOOD.small, /spins of the second model must be 4 as in the first, got 2/],
    ['biases', { ...GOOD.ring, biases: [0, 0, 0, 0] }, /biased of the second model must be false as in the first/],
    ['hidden spins', { ...GOOD.ring, visible: [0, 1] }, /visible of the second model must be/],
    [
      'another kind',
      {
        kind: 'rbm',
        visible: 2,
        hidden: 2,
        weights: [
          [0, 0],
          [0, 0],
        ],
      },
      /of the second model must be|must be/,
    ],
  ])('a second model with %s', async (name, model, message) => {
    const other = write(`other-${name.replace(/\s/g, '-')}.json`, model);
    const sentence = await refused([files.from, other, ...TEACHER]);
    expect(sentence).toMatch(message);
    expect(sentence).toContain(other);
  });

  test.each([
    [['--kernel', 'metropolis'], /metropolis is not available: its acceptance has kinks/],
    [['--kernel', 'alternating-block'], /alternating-block is not reversible; use palindrome-block/],
    [['--rule', 'slow'], /^--rule must be "relevance" or "window", got "slow"/],
    [['--steps', '1'], /^--steps must be a whole number from 2 to 10000, got 1;/],
    [['--steps', '100000000'], /^--steps must be a whole number from 2 to 10000/],
    [['--epsilon', '0'], /^--epsilon must be a number between 0 and 1, got 0/],
    [['--kappa', '0.5'], /^--kappa must be a finite number of at least 1/],
    [['--window', '0'], /^--window must be/],
    [['--widow', '3'], /unknown option/],
  ] as const)('%j', async (flags, message) => {
    expect(await refused([files.from, files.to, ...TEACHER, ...flags])).toMatch(message);
  });

  test('missing files, no data, data twice, data of another size', async () => {
    expect(await refused([files.from, path('none.json'), ...TEACHER])).toMatch(/none\.json: the file must be/);
    expect(await refused([path('none.json'), files.to, ...TEACHER])).toMatch(/none\.json: the file must be/);
    expect(await refused([files.from, files.to])).toMatch(/exactly one/);
    expect(await refused([files.from, files.to, ...TEACHER, '--data', 'x.csv'])).toMatch(/exactly one/);
    const small = write('small.json', GOOD.small);
    expect(await refused([files.from, files.to, '--teacher', small])).toMatch(/number of visible spins must be 4/);
    expect(await refused([files.from])).toMatch(/missing required argument/);
  });

  test('more states than modes are known for', async () => {
    const spins = 12;
    const edges = Array.from({ length: spins - 1 }, (_, i) => [i, i + 1]);
    const big = write('big.json', { kind: 'ising', spins, beta: 1, edges, couplings: edges.map(() => 0.1) });
    expect(await refused([big, big, '--teacher', big])).toMatch(
      /^The set of modes is not available: .*too many states/,
    );
  });
});

test('a path into a plateau deeper than modes are resolved ends with a sentence and exit code 3', async () => {
  const cold = write('cold.json', pairs(30, 30));
  const { code, stdout, stderr } = await htdml(['path', files.left, cold, ...TEACHER]);
  expect(code).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^htdml: The set of modes did not converge: .*\.\n$/);
});
