import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from 'htdml';
import type { Arm } from './arms.js';
import type { DataName } from './problems.js';
import { type Common, type Configuration, type RunResult, trainBySampling } from './train.js';

/** One run of an arm. */
export interface Job {
  readonly data: DataName;
  readonly arm: Arm;
  readonly configuration: Configuration;
  readonly seed: number;
  readonly common: Common;
}

/** A finished run as a line of its file. */
export interface Finished extends RunResult {
  /** Everything that the run depends on, as text. */
  readonly key: string;
  readonly data: DataName;
  readonly arm: string;
  readonly configuration: Configuration;
  readonly seed: number;
  readonly budget: number;
}

const keyOf = ({ data, arm, configuration, seed, common }: Job) =>
  JSON.stringify([data, arm.name, configuration, seed, common]);

/**
 * Runs the jobs, when resumed those that the file does not hold yet, and adds a line for each as it ends; gives the results of all jobs, in order. A process that is killed loses the run
 * that it was in, of a few seconds, and a line that was cut off is run again.
 */
export function runJobs(jobs: readonly Job[], file: string, resume: boolean): Finished[] {
  const done = new Map((resume ? readLines(file) : []).map((line) => [line.key, line]));
  writeFileAtomic(file, [...done.values()].map((line) => `${JSON.stringify(line)}\n`).join(''));
  const left = jobs.filter((job) => !done.has(keyOf(job)));
  const began = performance.now();
  left.forEach((job, k) => {
    const { data, arm, configuration, seed, common } = job;
    const eta =
      k === 0 ? '' : `, about ${Math.ceil(((performance.now() - began) / k / 1000) * (left.length - k))} s left`;
    process.stderr.write(`[${k}/${left.length}${eta}] ${data}, ${arm.name}, seed ${seed}\n`);
    const result = trainBySampling(data, arm, configuration, seed, common);
    const key = keyOf(job);
    const line: Finished = { key, data, arm: arm.name, configuration, seed, budget: common.budget, ...result };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
    done.set(key, line);
  });
  return jobs.map((job) => {
    const line = done.get(keyOf(job));
    if (line === undefined) throw new Error('a run left no result');
    return line;
  });
}

function readLines(file: string): Finished[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Finished];
      } catch {
        return [];
      }
    });
}
