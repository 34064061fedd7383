import { parentPort, workerData } from 'node:worker_threads';
import { type DigitsSettings, runSeed } from './digits-seed.js';

/** Runs one seed in a thread of its own; posts its stages and, at the end, its result. */
const { settings, seed, out } = workerData as { settings: DigitsSettings; seed: number; out: string };
const result = runSeed(settings, seed, out, (share, label) => parentPort?.postMessage({ share, label }));
parentPort?.postMessage({ result });
