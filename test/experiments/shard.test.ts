import { expect, test } from 'vitest';
import { belongs, shardOf } from '../../src/experiments/shard.js';

test.each([
  ['the flag', '3/8', {}, { index: 3, of: 8 }],
  [
    'the flag before the environment',
    '1/2',
    { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_COUNT: '9' },
    { index: 1, of: 2 },
  ],
  ['a Slurm array from 1', undefined, { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_COUNT: '9' }, { index: 5, of: 9 }],
  [
    'a Slurm array from 0',
    undefined,
    { SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '0' },
    { index: 1, of: 4 },
  ],
  [
    'a Slurm array of every tenth number',
    undefined,
    { SLURM_ARRAY_TASK_ID: '30', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '10', SLURM_ARRAY_TASK_STEP: '10' },
    { index: 3, of: 4 },
  ],
  ['an indexed job', undefined, { JOB_COMPLETION_INDEX: '7', JOB_COMPLETIONS: '8' }, { index: 8, of: 8 }],
  ['neither', undefined, {}, { index: 1, of: 1 }],
])('the shard of %s', (_, flag, environment, shard) => {
  expect(shardOf(flag, environment)).toEqual(shard);
});

test.each([
  ['0/4', {}, /^--shard must be a shard i\/n with i from 1 to n, got 0\/4; /],
  ['5/4', {}, /got 5\/4/],
  ['2', {}, /got 2;/],
  ['', {}, /got "";/],
  ['1.5/2', {}, /got 1\.5\/2/],
  [undefined, { SLURM_ARRAY_TASK_ID: '5' }, /^SLURM_ARRAY_TASK_COUNT must be set in the environment/],
  // An array with holes: task 9 of 3 is none of three parts.
  [
    undefined,
    { SLURM_ARRAY_TASK_ID: '9', SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_MIN: '1' },
    /got 9 of 3 from 1/,
  ],
  [undefined, { JOB_COMPLETION_INDEX: '1' }, /^JOB_COMPLETIONS must be set .* to its completions/],
  [undefined, { JOB_COMPLETION_INDEX: '4', JOB_COMPLETIONS: '4' }, /got 4 of 4/],
])('refuses %j in %j', (flag, environment, message) => {
  expect(() => shardOf(flag, environment)).toThrow(message);
});

test('the shards are a partition', () => {
  for (const of of [1, 3, 7]) {
    for (let k = 0; k < 20; k++) {
      const owners = Array.from({ length: of }, (_, i) => belongs(k, { index: i + 1, of })).filter((mine) => mine);
      expect(owners).toHaveLength(1);
    }
  }
});
