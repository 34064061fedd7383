import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  dataLawFromRows,
  type EquilibriumSamples,
  type GridLayer,
  readLayer,
  writeFileAtomic,
  writeLayer,
} from 'htdml';
import { stages } from '../support/progress.js';
import { drawnImages, principalDirections, readImages } from './images.js';
import { equilibriumOf, KERNELS, type Look, lookAt } from './look.js';
import { type Cost, resultsText } from './results.js';
import { FULL, QUICK } from './settings.js';
import { savedTrained, saveTrained, trainingStep, untrained } from './train.js';

/**
 * How trainable is a layer of 60 x 60 spins with twelve neighbours each, as it learns images? It is trained by sampled gradients as published layers are, and at each checkpoint `R_hat` is estimated
 * from equilibrium samples, without time series, for the reversible kernel and for the sweep that the hardware runs; long chains check it. After `npm run build`,
 *
 *   node dist/examples/dtm-layer/run.js [IMAGES.npy ...]   writes RESULTS.md; drawn images where no file is given
 *   node dist/examples/dtm-layer/run.js --quick            shows in seconds that it runs
 *
 * Layers and estimates stand in examples/out/dtm-layer; with `--resume` the same command goes on where it was stopped.
 */
const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean' }, resume: { type: 'boolean' } },
  allowPositionals: true,
});
const settings = values.quick ? QUICK : FULL;
const folder = new URL(`../../../examples/out/dtm-layer${values.quick ? '-quick' : ''}/`, import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const out = (name: string) => join(folder, name);

const { training, estimate, seed } = settings;
const kernels = Object.keys(KERNELS) as (keyof typeof KERNELS)[];
const { checkpoints } = training;
const images = positionals.length > 0 ? readImages(positionals) : drawnImages(600, seed);
const axes = principalDirections(images, 3);
const data = dataLawFromRows(images);
const last = checkpoints[checkpoints.length - 1];
const SAVE_EVERY = 10;

/** Shares of the work, about: sweeps of a training step, and what a checkpoint costs beside them. */
const stepShare = training.chains * (training.burnIn + training.samples * training.apart) * 2;
const lookShare = 30_000 * estimate.chains * estimate.samples * 0.05;
const announce = stages(last * stepShare + checkpoints.length * 2 * lookShare);

const key = JSON.stringify({ settings, images: positionals });
let trained = (values.resume && savedTrained(out('training.json'), key, settings)) || untrained(settings);

const before = savedCost();

const path = checkpoints.map((checkpoint) => {
  const layer = reach(checkpoint);
  let equilibrium: EquilibriumSamples | undefined;
  return {
    step: checkpoint,
    layer,
    looks: kernels.map((kernel) => {
      announce(lookShare, `after ${checkpoint} steps, ${kernel}`);
      return kept(`${nameOf(checkpoint)}-${kernel}.json`, () => {
        equilibrium ??= equilibriumOf(layer, data, settings);
        return lookAt(layer, data, kernel, equilibrium, axes, settings);
      });
    }),
  };
});

/** The layer after so many steps: from its file where training went past it, else by training on. */
function reach(checkpoint: number): GridLayer {
  const file = out(`${nameOf(checkpoint)}.json`);
  if (trained.memory.steps > checkpoint) return readLayer(file);
  while (trained.memory.steps < checkpoint) {
    const { steps } = trained.memory;
    announce(stepShare, `training step ${steps + 1}`);
    trained = trainingStep(trained, images, training, seed);
    if (steps % SAVE_EVERY === 0) saveTrained(out('training.json'), key, trained);
  }
  writeLayer(file, trained.layer);
  saveTrained(out('training.json'), key, trained);
  return trained.layer;
}

/** A look at a checkpoint, made once. */
function kept(name: string, make: () => Look): Look {
  const file = out(name);
  if (values.resume && existsSync(file)) {
    const saved = JSON.parse(readFileSync(file, 'utf8'));
    if (saved.key === key) return saved.look;
  }
  const look = make();
  writeFileAtomic(file, `${JSON.stringify({ key, look })}\n`);
  counted();
  return look;
}

/** Zero for a new run. */
function savedCost(): Cost {
  const file = out('cost.json');
  const saved = values.resume && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  return saved?.key === key ? saved.cost : { seconds: 0, processorSeconds: 0, megabytes: 0 };
}

/** What this process took, on top of those that it goes on from; kept for the next one. */
function counted(): Cost {
  const { user, system } = process.cpuUsage();
  const cost: Cost = {
    seconds: before.seconds + performance.now() / 1000,
    processorSeconds: before.processorSeconds + (user + system) / 1e6,
    megabytes: Math.max(before.megabytes, process.resourceUsage().maxRSS / 1024),
  };
  writeFileAtomic(out('cost.json'), JSON.stringify({ key, cost }));
  return cost;
}

function nameOf(checkpoint: number): string {
  return `layer-${String(checkpoint).padStart(3, '0')}`;
}

const source = `${images.length} ${positionals.length > 0 ? 'images of files' : 'drawn images'}`;
const text = resultsText(path, settings, source, counted());
if (!values.quick) {
  writeFileAtomic(new URL('../../../examples/dtm-layer/RESULTS.md', import.meta.url).pathname, text);
}
process.stdout.write(text);
