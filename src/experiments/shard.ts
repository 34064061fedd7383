import { InputError } from '../errors.js';

/** One of `of` parts of an experiment's cells; `index` counts from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** All cells. */
export const WHOLE: Shard = { index: 1, of: 1 };

/** Whether the cell at a position in the experiment's list belongs to a shard: cells are dealt out in turn, so that each gets some of every size. */
export function belongs(position: number, { index, of }: Shard): boolean {
  return position % of === index - 1;
}

/**
 * The shard of `--shard i/n`; without it, that of a Slurm array task (`SLURM_ARRAY_TASK_ID`, `_COUNT`, and `_MIN` where the array does not begin at 1) or of a Kubernetes indexed
 * job (`JOB_COMPLETION_INDEX`, and `JOB_COMPLETIONS`, which the job's manifest must set); without those {@link WHOLE}.
 */
export function shardOf(flag: string | undefined, environment: Readonly<Record<string, string | undefined>>): Shard {
  if (flag !== undefined) {
    const [, index, of] = /^(\d+)\/(\d+)$/.exec(flag) ?? [];
    return checkedShard('--shard', flag, Number(index), Number(of));
  }
  const { SLURM_ARRAY_TASK_ID: task, JOB_COMPLETION_INDEX: completion } = environment;
  if (task !== undefined) {
    const count = required('SLURM_ARRAY_TASK_COUNT', environment, 'run it as an array job');
    const { SLURM_ARRAY_TASK_MIN: least = '1', SLURM_ARRAY_TASK_STEP: step = '1' } = environment;
    const index = (Number(task) - Number(least)) / Number(step) + 1;
    return checkedShard('SLURM_ARRAY_TASK_ID', `${task} of ${count} from ${least}`, index, Number(count));
  }
  if (completion !== undefined) {
    const count = required('JOB_COMPLETIONS', environment, "set it in the job's manifest to its completions");
    return checkedShard('JOB_COMPLETION_INDEX', `${completion} of ${count}`, Number(completion) + 1, Number(count));
  }
  return WHOLE;
}

function required(name: string, environment: Readonly<Record<string, string | undefined>>, remedy: string): string {
  const value = environment[name];
  if (value !== undefined) return value;
  throw new InputError({ field: name, expected: 'set in the environment', got: 'nothing', remedy });
}

function checkedShard(field: string, got: string, index: number, of: number): Shard {
  if (Number.isSafeInteger(index) && Number.isSafeInteger(of) && index >= 1 && index <= of) return { index, of };
  throw new InputError({
    field,
    expected: 'a shard i/n with i from 1 to n',
    got: got === '' ? '""' : got,
    remedy: 'write the third of eight as 3/8',
  });
}
