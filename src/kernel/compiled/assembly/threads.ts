// A job's shards, done by this thread and those that help it.
import { moveChains } from './chains';
import { density, maxIterations, panels, shards, tableOf, workspace, workspaceBytes } from './job';
import { solvePanel } from './solve';
import { states } from './table';
import { trialPanel } from './trial';

/** Looks at a word before a thread is put to sleep, some twenty microseconds: waking it takes as long. */
const LOOKS: i32 = 20000;

// What the threads share, below all that is handed out.
/** Shards that nobody has taken. */
const LEFT: usize = 512;
/** Shards that are not done. */
const UNDONE: usize = 516;
const JOB: usize = 520;
/** Jobs that were begun. */
const BEGUN: usize = 524;
/** What the job is. */
const KIND: usize = 528;
const SOLVE: i32 = 0;
const CHAINS: i32 = 1;

/** Solves the panels of a job. With `alone`, its only workspace is this thread's. */
export function solve(job: usize, alone: bool): void {
  const count = shards(job);
  memory.fill(density(job), 0, <usize>count * states(tableOf(job)) * 8);
  if (alone) {
    for (let shard = count - 1; shard >= 0; shard--) runShard(job, shard, 0);
  } else share(job, SOLVE, count);
  // In their order, whoever did them.
  const n = states(tableOf(job));
  const total = density(job);
  for (let shard = 1; shard < count; shard++) {
    const part = total + <usize>shard * n * 8;
    for (let at: usize = 0; at < n * 8; at += 8) store<f64>(total + at, load<f64>(total + at) + load<f64>(part + at));
  }
}

/** Moves the chains of a job, by so many threads at most. */
export function runChains(job: usize, threads: i32): void {
  share(job, CHAINS, threads);
}

/** Has the shards of a job done, by this thread and all that help it. */
function share(job: usize, kind: i32, count: i32): void {
  atomic.store<i32>(UNDONE, count);
  atomic.store<i32>(KIND, kind);
  atomic.store<u32>(JOB, <u32>job);
  atomic.store<i32>(LEFT, count);
  atomic.add<i32>(BEGUN, 1);
  atomic.notify(BEGUN, -1);
  takeShards(0);
  for (let undone = atomic.load<i32>(UNDONE); undone > 0; undone = atomic.load<i32>(UNDONE)) wait(UNDONE, undone);
}

/** What a helping thread does for as long as it lives. */
export function help(thread: i32): void {
  while (true) {
    const begun = atomic.load<i32>(BEGUN);
    takeShards(thread);
    wait(BEGUN, begun);
  }
}

/** Until a word is no longer what it was. */
function wait(word: usize, was: i32): void {
  for (let look = 0; look < LOOKS; look++) if (atomic.load<i32>(word) != was) return;
  atomic.wait<i32>(word, was, -1);
}

function takeShards(thread: i32): void {
  while (true) {
    const left = atomic.load<i32>(LEFT);
    if (left <= 0) return;
    // The job is read after a shard of it was taken, so it is the one that the shard belongs to.
    if (atomic.cmpxchg<i32>(LEFT, left, left - 1) != left) continue;
    const job = <usize>atomic.load<u32>(JOB);
    if (atomic.load<i32>(KIND) == CHAINS) moveChains(job, <usize>thread);
    else runShard(job, left - 1, thread);
    if (atomic.sub<i32>(UNDONE, 1) == 1) atomic.notify(UNDONE, -1);
  }
}

function runShard(job: usize, shard: i32, thread: i32): void {
  const scratch = workspace(job) + <usize>thread * workspaceBytes(job);
  const sum = density(job) + <usize>shard * states(tableOf(job)) * 8;
  for (let panel = shard; panel < panels(job); panel += shards(job)) {
    if (maxIterations(job) == 0) trialPanel(job, panel, scratch, sum);
    else solvePanel(job, panel, scratch, sum);
  }
}
