import { WASM } from './wasm.js';

/** The compiled loops and their memory. Addresses are in bytes; the loops know no more of the memory than they are told. */
export interface Loops {
  /** Solves the panels of a job. */
  solve(job: number): void;
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

/** What of the global object is used; ECMAScript's own library does not declare it. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => Loops['memory'];
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

const PAGE = 65536;
/** Where the loops' memory begins to be ours. */
const FIRST = 1024;

let made: Loops | null | undefined;

/** The compiled loops; null where this machine cannot run them, and the plain ones do. */
export function loops(): Loops | null {
  if (made === undefined) made = instantiate();
  return made;
}

function instantiate(): Loops | null {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGE });
    const module = new WebAssembly.Module(Buffer.from(WASM, 'base64'));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    return { ...(exports as unknown as Omit<Loops, 'memory'>), memory };
  } catch {
    return null;
  }
}

/** Hands out the loops' memory from its beginning; what is handed out is valid until the next arena is made. */
export class Arena {
  private top = FIRST;

  constructor(private readonly memory: Loops['memory']) {}

  /** The addresses of so many bytes each, on cache lines; null where the memory does not reach. */
  take(...bytes: readonly number[]): number[] | null {
    const addresses = bytes.map((size) => {
      const at = this.top;
      this.top += Math.ceil(size / 64) * 64;
      return at;
    });
    const missing = this.top - this.memory.buffer.byteLength;
    try {
      if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    } catch {
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
}
