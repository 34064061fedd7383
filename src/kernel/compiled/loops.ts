import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { WASM } from './wasm.js';

/** The compiled loops and their memory. Addresses are in bytes; the loops know no more of the memory than they are told. */
export interface Loops {
  readonly memory: Memory;
  /** Threads that may work at once, this one among them. */
  readonly threads: number;
  /** Writes what a table's kernel is applied by, once, before it is. */
  prepare(table: number): void;
  /** `y = P x` for a table and two blocks of eight functions; `work` is a third. */
  apply(table: number, x: number, y: number, work: number): void;
  /** Solves the panels of a job, which has a workspace for every thread or, with `alone`, for this one only. */
  solve(job: number, alone: boolean): void;
  /** Writes the conductances of a pair network, once, before it is applied. */
  preparePairs(network: number): void;
  /** `y = D (I - P) x` on a panel of two functions. */
  applyPair(network: number, x: number, y: number, work: number): void;
  /** `before = a (image / pi - c x) + b before`. */
  chebyshevStep(
    before: number,
    x: number,
    image: number,
    inverse: number,
    n: number,
    a: number,
    c: number,
    b: number,
  ): void;
  /** `to = from`. */
  copyPair(from: number, to: number, n: number): void;
  /** `x = 0`. */
  clearPair(x: number, n: number): void;
  /** `x -= E x`. */
  centrePair(x: number, pi: number, n: number): void;
  /** `<v_i, w_j>` for `count` panels `v`, as 2 x 2 matrices. */
  gramPairs(v: number, count: number, w: number, pi: number, n: number, out: number): void;
  /** `w += sum_k v_k m_k`. */
  addPairs(v: number, count: number, matrices: number, w: number, n: number): void;
  /** Moves the chains of a job, by so many threads at most. */
  runChains(job: number, threads: number): void;
  /** Four words of Philox 4x32-10 at `out`. */
  philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: number): void;
  /** Eight counters that follow each other, with the keys that `spreadKey` wrote: word by word of the first four, then of the others. */
  philoxEight(c0: number, c1: number, c2: number, c3: number, keys: number, out: number): void;
  spreadKey(k0: number, k1: number, keys: number): void;
  /** Counts work that other threads could have shared; from some milliseconds on they are started. */
  hire(multiplications: number): void;
}

interface Memory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** What of the global object is used; ECMAScript's own library does not declare it. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: boolean }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE = 65536;
/** Where the loops' memory begins to be ours. */
const FIRST = 1024;
/** More threads than shards would have nothing to do. */
export const MAX_SHARDS = 8;
/** Tens of milliseconds of work, which is what starting a thread costs. */
const WORTH_HIRING = 4e6;
/** A thread that helps for as long as it lives. */
const HELPER = `
const { workerData } = require('node:worker_threads');
const { module, memory, thread } = workerData;
new WebAssembly.Instance(module, { env: { memory } }).exports.help(thread);
`;

let made: Loops | null | undefined;

/** The compiled loops; null where this machine cannot run them, and the plain ones do. */
export function loops(): Loops | null {
  if (made === undefined) made = instantiate();
  return made;
}

/** HTDML_THREADS, or as many threads as the machine runs at once. Results are the same for any number. */
export function threadCount(): number {
  const wanted = Number(process.env.HTDML_THREADS);
  return Math.min(MAX_SHARDS, Number.isInteger(wanted) && wanted > 0 ? wanted : availableParallelism());
}

function instantiate(): Loops | null {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGE, shared: true });
    const module = new WebAssembly.Module(Buffer.from(WASM, 'base64'));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const threads = threadCount();
    let work = 0;
    const hire = (multiplications: number) => {
      const before = work;
      work += multiplications;
      if (before >= WORTH_HIRING || work < WORTH_HIRING) return;
      for (let thread = 1; thread < threads; thread++) {
        const helper = new Worker(HELPER, { eval: true, execArgv: [], workerData: { module, memory, thread } });
        // One that cannot start is one fewer.
        helper.on('error', () => {}).unref();
      }
    };
    return { ...(exports as unknown as Omit<Loops, 'memory' | 'threads' | 'hire'>), memory, threads, hire };
  } catch {
    return null;
  }
}

/** Hands out the loops' memory from its beginning; what is handed out is valid until the next arena is made. */
export class Arena {
  private top = FIRST;

  constructor(private readonly memory: Memory) {}

  /** The addresses of so many bytes each, on cache lines; null where the memory does not reach. */
  take(...bytes: readonly number[]): number[] | null {
    const before = this.top;
    const addresses = bytes.map((size) => {
      const at = this.top;
      this.top += Math.ceil(size / 64) * 64;
      return at;
    });
    const missing = this.top - this.memory.buffer.byteLength;
    try {
      if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    } catch {
      this.top = before;
      return null;
    }
    return addresses;
  }

  /** Numbers at an address; to be read before more is taken, since growing moves the memory. */
  doubles(at: number, count: number): Float64Array {
    return new Float64Array(this.memory.buffer, at, count);
  }

  words(at: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, count);
  }

  floats(at: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count);
  }
}
