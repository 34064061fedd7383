/** Base class of every error that the library throws on purpose. `code` is stable; the message is one sentence for a person. */
export class HtdmlError extends Error {
  /** Stable name of the kind of error: `HTDML_INPUT`, `HTDML_UNSUPPORTED`, `HTDML_CONVERGENCE` or `HTDML_REVERSIBILITY`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** What was wrong with one field of an input: which, what it should be, what it is, and what to do about it. */
export interface InputProblem {
  /** Path of the field, for example `edges[3]`; with files, what stands before it names the file. */
  readonly field: string;
  /** What the field should be. */
  readonly expected: string;
  /** What it is, shortened. */
  readonly got: string;
  /** What to do about it. */
  readonly remedy: string;
  /** The file that holds the field, where there is one. */
  readonly file?: string | undefined;
}

/** A value that the caller gave is not usable. Its one sentence names the field, what was expected, what came and what to do. */
export class InputError extends HtdmlError {
  /** The parts of the sentence. */
  readonly problem: InputProblem;

  constructor(problem: InputProblem) {
    const where = problem.file === undefined ? problem.field : `${problem.file}: ${problem.field}`;
    super('HTDML_INPUT', `${where} must be ${problem.expected}, got ${problem.got}; ${problem.remedy}.`);
    this.problem = problem;
  }

  /** The same problem, found in a named file. */
  inFile(file: string): InputError {
    return new InputError({ ...this.problem, file });
  }
}

/** The input is valid but the computation asked for does not exist for it (too many states, no such route). */
export class UnsupportedError extends HtdmlError {
  constructor(what: string, reason: string, remedy: string) {
    super('HTDML_UNSUPPORTED', `${what} is not available: ${reason}; ${remedy}.`);
  }
}

/** A short rendering of a value for error messages. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return 'a function';
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${(value as Float64Array).length})`;
  let text: string | undefined;
  try {
    text = JSON.stringify(value, (_key, inner) =>
      typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner,
    );
  } catch {
    text = undefined;
  }
  if (text === undefined) return typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A derivative or number was asked of a computation that did not converge; its result says so in `info.converged`. */
export class ConvergenceError extends HtdmlError {
  constructor(what: string, reason: string) {
    super('HTDML_CONVERGENCE', `${what} did not converge: ${reason}; look at info.converged before using a result.`);
  }
}

/** Modes were asked of a kernel that is not reversible, whose eigenvalues are complex in general. */
export class ReversibilityError extends HtdmlError {
  constructor(what: string, kernel: string) {
    super('HTDML_REVERSIBILITY', `${what} is not available: ${kernel} is not reversible; use palindrome-block.`);
  }
}
