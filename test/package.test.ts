import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as api from 'htdml';
import * as objectives from 'htdml/objectives';
import * as tfjs from 'htdml/tfjs';
import { describe, expect, test } from 'vitest';
import { readSpec } from '../src/cli/spec.js';
import * as errors from '../src/errors.js';
import { ROOT, scratch, startNode } from './support/cli.js';

const { path, write } = scratch();
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const evaluated = async (code: string, ...flags: readonly string[]) => {
  const { code: exit, stdout, stderr } = await startNode([...flags, '--input-type=module', '--eval', code]).finished;
  expect([exit, stderr]).toEqual([0, '']);
  return stdout;
};

test('the public surface', () => {
  expect(Object.keys(api).sort()).toEqual([
    'BOUND_THRESHOLDS',
    'ConvergenceError',
    'DEFAULT_GATE_THRESHOLDS',
    'DEFAULT_REFERENCES',
    'EVENT_POLICIES',
    'EVENT_TYPES',
    'EquilibriumRun',
    'EstimatedRoute',
    'FEATURE_NAMES',
    'GRID_FAMILIES',
    'HtdmlError',
    'InputError',
    'KERNEL_NAMES',
    'LADDER_THRESHOLDS',
    'MEAN_PRODUCTS',
    'MEMBERSHIP_RULES',
    'MembershipWatch',
    'OPTIMIZERS',
    'ReversibilityError',
    'SCHEDULES',
    'SNR_THRESHOLDS',
    'TEMPERED_THRESHOLDS',
    'UnsupportedError',
    'VERDICT_THRESHOLDS',
    'adamStart',
    'adamStep',
    'annealedLogRatio',
    'autocorrelation',
    'certifiedRadius',
    'chainMove',
    'compiledMove',
    'contourProjector',
    'correlationPenaltyGradient',
    'coverage',
    'createRoute',
    'dataFreeEnergy',
    'dataLawFromCounts',
    'dataLawFromRows',
    'denoisingGradient',
    'design',
    'designLadder',
    'designSampled',
    'designStart',
    'doublingTimescales',
    'drawStarts',
    'emptySamples',
    'estimateReport',
    'estimateSnr',
    'estimateTrainability',
    'estimateWorkload',
    'evaluateModel',
    'flipProbability',
    'forwardLayers',
    'forwardTimes',
    'gridGraph',
    'gridLayer',
    'indicator',
    'inputBiases',
    'inputCoupling',
    'integratedTime',
    'isConditional',
    'ising',
    'layerModel',
    'layerToJson',
    'layerWithInputs',
    'loadReport',
    'logEffectiveGap',
    'logRhat',
    'measureSnr',
    'measureTimescales',
    'membership',
    'modeSet',
    'modeSetAt',
    'modelToJson',
    'noised',
    'observableMeans',
    'parameterName',
    'parametrization',
    'parseLayer',
    'parseModel',
    'positivePhase',
    'probedTimescales',
    'randomPlacement',
    'randomSource',
    'ratesAlong',
    'rbm',
    'readData',
    'readDtmStep',
    'readLayer',
    'readModel',
    'readNumpyModel',
    'readPattern',
    'readSample',
    'referenceMoments',
    'replicaLadder',
    'resumeRandom',
    'rowStarts',
    'sameMembership',
    'sampleChains',
    'sampleEquilibrium',
    'sampleMoments',
    'sampleTempered',
    'sampledDesignStart',
    'sampledObjective',
    'sampledTrainStart',
    'samplerStart',
    'scanModels',
    'secondsOf',
    'sensitivity',
    'softMembership',
    'spectralDerivative',
    'spectralMatrix',
    'symmetricEigen',
    'teacherLaw',
    'temperedEquilibrium',
    'temperedSamples',
    'temperingStart',
    'train',
    'trainSampled',
    'trainStart',
    'untrainedStep',
    'version',
    'withLayerParameters',
    'withParameters',
    'withoutInputs',
    'workload',
    'worstRates',
    'writeDtmStep',
    'writeFileAtomic',
    'writeLayer',
    'writeModel',
    'writeNumpyModel',
    'writeSample',
  ]);
  expect(Object.keys(objectives).sort()).toEqual([
    'UNCONTROLLED',
    'adaptCorrelationPenalty',
    'adaptiveTotalCorrelation',
    'contrastiveDivergence',
    'kl',
    'l1',
    'l2',
    'logEffectiveGap',
    'logRhat',
    'logRhatSlowCluster',
    'logRhatSoft',
    'persistentChains',
    'totalCorrelation',
    'weightedSum',
  ]);
  expect(Object.keys(tfjs).sort()).toEqual([
    'REGULARIZER_OBJECTIVES',
    'kl',
    'logEffectiveGap',
    'logRHat',
    'logRHatSlowCluster',
    'logRHatSoft',
    'networkFeatures',
    'neuralFeatures',
    'objective',
    'registerRegularizer',
    'trainabilityCallback',
  ]);
  expect(api.version).toBe(manifest.version);
});

describe('an error class is one class from every side', () => {
  const thrown = (body: () => unknown) => {
    try {
      body();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };

  test('in the sources', () => {
    expect(api.InputError).toBe(errors.InputError);
    expect(api.UnsupportedError).toBe(errors.UnsupportedError);
    expect(api.ConvergenceError).toBe(errors.ConvergenceError);
    expect(thrown(() => readSpec(path('none.json')))).toBeInstanceOf(api.InputError);
    const fromApi = thrown(() => api.ising({ spins: 0, edges: [], couplings: [] }));
    expect(fromApi).toBeInstanceOf(errors.InputError);
    expect(fromApi).toBeInstanceOf(errors.HtdmlError);
    expect(fromApi).toMatchObject({ name: 'InputError', code: 'HTDML_INPUT' });
  });

  test('in the package', async () => {
    const out = await evaluated(`
      import * as api from 'htdml';
      import { logEffectiveGap } from 'htdml/objectives';
      import * as errors from './dist/src/errors.js';
      import { readSpec } from './dist/src/cli/spec.js';
      const thrown = (body) => { try { body(); } catch (error) { return error; } };
      console.log(JSON.stringify([
        api.InputError === errors.InputError,
        logEffectiveGap.evaluate === api.logEffectiveGap,
        thrown(() => readSpec('none.json')) instanceof api.InputError,
        thrown(() => api.ising({ spins: 0, edges: [], couplings: [] })) instanceof errors.InputError,
      ]));
    `);
    expect(JSON.parse(out)).toEqual([true, true, true, true]);
  });
});

describe('what is published', () => {
  test('every entry point resolves, has types, and gives what the sources give', async () => {
    expect(Object.keys(manifest.exports)).toEqual(['.', './objectives', './proofs', './tfjs', './package.json']);
    for (const entry of ['.', './objectives', './proofs', './tfjs']) {
      const { types, default: code } = manifest.exports[entry];
      // Types must come first to be found.
      expect(Object.keys(manifest.exports[entry])[0]).toBe('types');
      for (const file of [types, code]) {
        expect(existsSync(join(ROOT, file)), file).toBe(true);
        expect(
          manifest.files.some((folder: string) => file.startsWith(`./${folder}/`)),
          file,
        ).toBe(true);
      }
    }
    const out = await evaluated(
      `
      const keys = async (name) => Object.keys(await import(name)).sort();
      const { default: manifest } = await import('htdml/package.json', { with: { type: 'json' } });
      console.log(JSON.stringify([await keys('htdml'), await keys('htdml/objectives'), await keys('htdml/tfjs'), manifest.name]));
    `,
      '--no-warnings',
    );
    expect(JSON.parse(out)).toEqual([...[api, objectives, tfjs].map((entry) => Object.keys(entry).sort()), 'htdml']);
  });

  test('nothing that is published imports TensorFlow.js, whose packages are optional', () => {
    const folder = join(ROOT, 'dist', 'src', 'adapters', 'tfjs');
    const files = readdirSync(folder).filter((name) => /\.(js|d\.ts)$/.test(name));
    expect(files).toContain('index.d.ts');
    for (const name of files) {
      expect(readFileSync(join(folder, name), 'utf8'), name).not.toMatch(
        /(from|import|require)\s*\(?\s*['"]@tensorflow/,
      );
    }
    for (const peer of Object.keys(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[peer]).toEqual({ optional: true });
    }
  });

  test('nothing else can be imported', async () => {
    const out = await evaluated(`
      await import('htdml/dist/src/errors.js').catch((error) => console.log(error.code));
    `);
    expect(out).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  test('the command is executable, and every file that the manifest lists is there', () => {
    const bin = join(ROOT, manifest.bin.htdml);
    accessSync(bin, constants.X_OK);
    expect(readFileSync(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    for (const file of manifest.files) expect(existsSync(join(ROOT, file)), file).toBe(true);
  });
});

describe('what importing the package loads', () => {
  /** Registers hooks that write the address of every module that is loaded to standard output. */
  const watch = write(
    'watch.mjs',
    `
      import { register } from 'node:module';
      const hooks = \`
        import { writeSync } from 'node:fs';
        export async function load(url, context, next) {
          writeSync(1, url + '\\\\n');
          return next(url, context);
        }
      \`;
      register('data:text/javascript,' + encodeURIComponent(hooks));
    `,
  );
  const loaded = async (code: string) => (await evaluated(code, '--import', watch)).split('\n');
  const plotting = (url: string) => /node_modules\/(@observablehq|linkedom|d3)/.test(url);

  test('no plotting library, no command line, until the report is asked for', async () => {
    const plain = await loaded(`await import('htdml'); await import('htdml/objectives');`);
    expect(plain.some((url) => url.endsWith('/dist/src/index.js'))).toBe(true);
    expect(plain.filter((url) => plotting(url) || /dist\/src\/(cli|report)\//.test(url))).toEqual([]);
    const report = await loaded(`const { loadReport } = await import('htdml'); await loadReport();`);
    expect(report.filter(plotting).length).toBeGreaterThan(1);
  });

  test('nor by the command line before a run is done', async () => {
    const plain = await loaded(`
      import { main } from './dist/src/cli/main.js';
      await main(['node', 'htdml', 'evaluate', '--help']);
    `);
    expect(plain.some((url) => url.endsWith('/dist/src/cli/main.js'))).toBe(true);
    expect(plain.filter(plotting)).toEqual([]);
  });
});
