import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { DigitsSettings, SeedRun } from './digits-seed.js';

type Message = { readonly share: number; readonly label: string } | { readonly result: SeedRun };

/** Runs all seeds, as many at a time as there are cores; results come in the order of the seeds. */
export async function runSeeds(
  settings: DigitsSettings,
  out: string,
  stage: (share: number, label: string) => void,
): Promise<SeedRun[]> {
  const results: SeedRun[] = [];
  const waiting = settings.seeds.map((seed, k) => ({ seed, k }));
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      results[next.k] = await inThread(settings, next.seed, out, stage);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), settings.seeds.length) }, lane));
  return results;
}

function inThread(
  settings: DigitsSettings,
  seed: number,
  out: string,
  stage: (share: number, label: string) => void,
): Promise<SeedRun> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./digits-worker.js', import.meta.url), { workerData: { settings, seed, out } });
    worker.on('message', (message: Message) => {
      if ('result' in message) resolve(message.result);
      else stage(message.share, message.label);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`seed ${seed} ended with code ${code} before its result`)));
  });
}
