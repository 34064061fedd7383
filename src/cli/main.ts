import { Command, CommanderError } from 'commander';
import { ConvergenceError, HtdmlError } from '../errors.js';
import { FEATURE_NAMES } from '../estimation/bound/features.js';
import { KERNEL_NAMES } from '../kernel/kernels.js';
import { MEMBERSHIP_RULES } from '../trainability/membership/mode-sets.js';
import { version } from '../version.js';
import { type ConvertFlags, convertCommand } from './convert.js';
import { coverageCommand } from './coverage.js';
import { Interrupted } from './drive.js';
import type { EstimateFlags } from './estimate.js';
import { type EvaluateFlags, evaluateCommand } from './evaluate.js';
import { type PathFlags, pathCommand } from './path.js';
import type { MergeFlags, ReproduceFlags } from './reproduce.js';
import type { RunFlags } from './run-setup.js';

interface Outcome {
  readonly output: string;
  readonly code: number;
}

/** Runs the command line and sets the exit code: 0 done, 2 bad input or usage, 3 numerics did not converge, 130 interrupted. */
export async function main(argv: readonly string[]): Promise<void> {
  let outcome: Outcome = { output: '', code: 0 };
  const program = new Command('htdml')
    .version(version)
    .description(
      'The signal-to-noise ratio of gradients that a Gibbs chain estimates: exact, differentiated, designed for.',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  program
    .command('evaluate')
    .description('report R, its predictors and what limits it, for a model on data')
    .argument('<model>', 'model file, .json, .npz or .npy')
    .option(...DATA)
    .option(...TEACHER)
    .option('--kernel <name>', KERNEL_NAMES.join(' or '), 'random-scan')
    .option('--burn-in <duration>', 'steps discarded: 100sweeps, or a number of kernel steps', '100sweeps')
    .option('--window <duration>', 'steps averaged', '1000sweeps')
    .option('--chains <n>', 'independent chains averaged', '1')
    .option('--start <law>', 'uniform, stationary, data or state:<index>', 'uniform')
    .option('--epsilon <share>', 'weight from which a group of modes is relevant', '1e-3')
    .option('--kappa <factor>', 'width of the slow cluster', '2.5')
    .option('--soft <eta>', 'add the predictor with a soft window of this width per kernel step')
    .option(...GATE, collect)
    .option(...REFERENCE, collect)
    .option('--gradient', 'add gradients in the parameters')
    .option('--measure <repetitions>', 'measure R and T by sampling too, with standard errors')
    .option('--probes <n>', 'estimate T of a large table from so many random probes, with its standard error')
    .option('--seed <n>', 'seed of the measurement and of the probes', '1')
    .option(...MAX_MEMORY)
    .option(...MAX_TIME)
    .option('--json', 'print one JSON object')
    .action((model: string, flags: EvaluateFlags) => {
      outcome = evaluateCommand(model, flags);
    });
  program
    .command('estimate')
    .description('R_hat of a model of any size with its error and verdict: a bound on T from samples in equilibrium')
    .argument('<model>', 'model file, .json, .npz or .npy')
    .option(...DATA)
    .option(...TEACHER)
    .option('--kernel <name>', 'of the estimator: random-scan, random-block or alternating-block', 'random-scan')
    .option('--burn-in <duration>', 'steps that the estimator discards, for gate A5 alone', '100sweeps')
    .option('--window <duration>', 'steps that the estimator averages', '1000sweeps')
    .option('--chains <n>', 'chains that the estimator averages; not those sampled here', '1')
    .option('--features <set>', `how far features go: ${FEATURE_NAMES.join(', ')}`, 'levels')
    .option('--samples <n>', 'samples of each sampling chain', '200')
    .option('--sampling-chains <n>', 'independent chains sampled, a quarter as many more for features', '24')
    .option('--sampling-burn-in <sweeps>', 'sweeps of each that are not seen', '500')
    .option('--apart <sweeps>', 'sweeps from sample to sample', '10')
    .option('--tempering', 'sample by replica exchange: burn-in and apart are then its steps')
    .option('--probes <n>', 'random signs over the observables, where there are many', '24')
    .option('--seed <n>', 'seed of chains and signs', '1')
    .option(...GATE, collect)
    .option(...REFERENCE, collect)
    .option('--gradient', 'add gradients in the parameters, with standard errors')
    .option('--checkpoint <file>', 'keep samples there; the same command goes on, another --kernel reuses them')
    .option(...MAX_MEMORY)
    .option(...MAX_TIME)
    .option('--json', 'print one JSON object')
    .action(async (model: string, flags: EstimateFlags) => {
      outcome = await (await import('./estimate.js')).estimateCommand(model, flags);
    });
  program
    .command('path')
    .description('follow the set of modes from one model to another: events, crossings, log R_hat')
    .argument('<from>', 'model file (JSON)')
    .argument('<to>', 'model file of the same structure')
    .option(...DATA)
    .option(...TEACHER)
    .option('--kernel <name>', KERNEL_NAMES.join(' or '), 'random-scan')
    .option('--rule <name>', `how modes are chosen: ${MEMBERSHIP_RULES.join(' or ')}`, 'window')
    .option('--epsilon <share>', 'weight from which a group of modes is relevant', '1e-3')
    .option('--kappa <factor>', 'width of the slow cluster', '2.5')
    .option('--steps <n>', 'intervals between samples; events do not depend on it', '100')
    .option('--window <duration>', 'steps averaged', '1000sweeps')
    .option('--report <file>', 'write a page with the figure')
    .option('--json', 'print one JSON object')
    .action(async (from: string, to: string, flags: PathFlags) => {
      outcome = await pathCommand(from, to, flags);
    });
  program
    .command('convert')
    .description('rewrite a model as .json, .npz or .npy (a coupling matrix), a grid layer as .json or .eqx')
    .argument('<from>', 'model file to read')
    .argument('<to>', 'file to write; its extension names the format')
    .option('--beta <number>', 'inverse temperature of a .npy matrix, which holds none (default: 1)')
    .option('--graph <file>', 'grid layer whose grid and visible nodes a .eqx file goes by, which holds none')
    .option('--force', 'overwrite the file')
    .action((from: string, to: string, flags: ConvertFlags) => {
      outcome = convertCommand(from, to, flags);
    });
  const run = (name: 'train' | 'design' | 'pareto', description: string) =>
    program
      .command(name)
      .description(description)
      .argument('<spec>', 'SPEC file (JSON)')
      .requiredOption('--out <folder>', 'where to write record, trace, checkpoint, model and report')
      .option('--resume', 'go on with an interrupted run')
      .option('--force', 'overwrite the folder of an earlier run')
      .option('--checkpoint-every <steps>', 'save the state every so many steps; every few seconds by default')
      .option('--on-event <policy>', 'when the slow cluster changes: refreeze, stop or soft')
      .option(...MAX_MEMORY)
      .option(...MAX_TIME)
      .option('--json', 'print the record')
      .action(async (spec: string, flags: RunFlags) => {
        outcome = await COMMANDS[name](spec, flags);
      });
  run('train', 'fit a model by exact maximum likelihood, with optional penalties');
  run('design', 'raise the effective gap or R_hat within a budget of divergence');
  run('pareto', 'trace divergence against effective gap for several ways of training and designing');
  program
    .command('coverage')
    .description('list what is computed for which kernel and model, up to which size, and how accurately')
    .option('--json', 'print one JSON object')
    .action((flags: { json?: boolean }) => {
      outcome = coverageCommand(flags);
    });
  program
    .command('reproduce')
    .description("repeat the source's experiments; the same command again goes on with an interrupted run")
    .argument('<experiment>', 'exp1, exp2, exp7, exp8, exp9, exp11 or all')
    .option('--out <folder>', 'where to write results and records', 'reproduction')
    .option('--config <file>', "another configuration than the package's own (examples/experiments)")
    .option('--shard <i/n>', 'compute one of n parts; read from Slurm array tasks and Kubernetes indexed jobs')
    .option('--jobs <n>', 'threads (default: one per core)')
    .option('--report', 'write one HTML page')
    .option('--force', 'begin anew where the folder holds results')
    .option('--json', 'print the record')
    .action(async (name: string, flags: ReproduceFlags) => {
      outcome = await (await import('./reproduce.js')).reproduceCommand(name, flags);
    });
  program
    .command('merge')
    .description('join the shards of htdml reproduce')
    .argument('<files...>', 'results of all shards')
    .option('--out <folder>', 'where to write results and records', 'reproduction')
    .option('--report', 'write one HTML page')
    .option('--force', 'overwrite results in the folder')
    .option('--json', 'print the record')
    .action(async (files: string[], flags: MergeFlags) => {
      outcome = await (await import('./reproduce.js')).mergeCommand(files, flags);
    });
  // A reader that stops reading, as in `htdml ... | head`, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    await program.parseAsync(argv as string[]);
    if (outcome.output !== '') process.stdout.write(`${outcome.output}\n`);
    process.exitCode = outcome.code;
  } catch (error) {
    process.exitCode = report(error);
  }
}

const DATA = ['--data <file>', 'samples of the visible spins, .csv or .npy, -1/1 or 0/1'] as const;
const TEACHER = ['--teacher <file>', 'model file whose exact visible law is the data'] as const;
const GATE = ['--gate <name=number>', 'threshold of a gate, such as windowTimes=20; repeatable'] as const;
const REFERENCE = ['--reference <name=number>', 'reference of the limiting factor: gap, signal, window'] as const;
const MAX_MEMORY = ['--max-memory <amount>', 'refuse what needs more: 4GiB, 500MB; what is free by default'] as const;
const MAX_TIME = ['--max-time <time>', 'refuse what takes longer by estimate: 90s, 10min, 2h'] as const;

/** Loaded when run: an evaluation needs none of it. */
const COMMANDS: Readonly<Record<'train' | 'design' | 'pareto', (spec: string, flags: RunFlags) => Promise<Outcome>>> = {
  train: async (spec, flags) => (await import('./train.js')).trainCommand(spec, flags),
  design: async (spec, flags) => (await import('./design.js')).designCommand(spec, flags),
  pareto: async (spec, flags) => (await import('./pareto.js')).paretoCommand(spec, flags),
};

/** Values of a repeatable option. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Writes one sentence about an expected failure to standard error and returns the exit code; rethrows bugs. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // help or version, already printed
    if (error.code === 'commander.help') {
      const words = process.argv.slice(2).join(' ');
      const got = words === '' ? 'nothing' : `"${words}"`;
      process.stderr.write(`htdml: a command must be given, got ${got}; run htdml --help for the list.\n`);
    } else {
      const sentence = error.message
        .replace(/^error: /, '')
        .replace(/\s*\n\s*/g, ' ')
        .replace(/\.$/, '');
      process.stderr.write(`htdml: ${sentence}; run htdml --help.\n`);
    }
    return 2;
  }
  if (error instanceof Interrupted) {
    const { again } = error;
    const state =
      again === null
        ? 'nothing is saved; with --checkpoint FILE a run can go on'
        : `the state is saved; go on with ${again}`;
    process.stderr.write(`htdml: interrupted, ${state}.\n`);
    return 130;
  }
  if (error instanceof HtdmlError) {
    process.stderr.write(`htdml: ${error.message}\n`);
    return error instanceof ConvergenceError ? 3 : 2;
  }
  throw error;
}
