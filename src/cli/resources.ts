import { InputError, show, UnsupportedError } from '../errors.js';
import { oneLine } from '../model/atomic-file.js';
import { duration, num } from './format.js';

/** What a command is expected to need: peak memory, and time at the speed of this machine. */
export interface Estimate {
  readonly bytes: number;
  readonly seconds: number;
}

export interface ResourceFlags {
  readonly maxMemory?: string;
  readonly maxTime?: string;
}

/** Work from which a person at a terminal is told how long it will take. */
const LONG_SECONDS = 5;

/**
 * Refuses what does not fit, before anything is allocated: memory beyond `--max-memory`, or beyond what the machine has free where that is not given, and
 * time beyond `--max-time`. Announces long work on a terminal.
 */
export function admit(
  what: string,
  estimate: Estimate,
  flags: ResourceFlags,
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
): Estimate {
  const { bytes, seconds } = estimate;
  const maxBytes = flags.maxMemory === undefined ? process.availableMemory() : parseMemory(flags.maxMemory);
  const maxSeconds = flags.maxTime === undefined ? Number.POSITIVE_INFINITY : parseTime(flags.maxTime);
  if (bytes > maxBytes) {
    const [limit, raise] =
      flags.maxMemory === undefined
        ? ['free on this machine', 'free some, or insist with --max-memory']
        : ['allowed by --max-memory', 'raise --max-memory'];
    throw new UnsupportedError(
      what,
      `it needs about ${memory(bytes)} of memory and ${memory(maxBytes)} is ${limit}`,
      `use a smaller model, or ${raise}`,
    );
  }
  if (seconds > maxSeconds) {
    throw new UnsupportedError(
      what,
      `it takes about ${duration(seconds)} and ${duration(maxSeconds)} is allowed by --max-time`,
      'use a smaller model or less of it, or raise --max-time',
    );
  }
  if (seconds > LONG_SECONDS && stream.isTTY) {
    stream.write(`htdml: this takes about ${duration(seconds)} and ${memory(bytes)} of memory.\n`);
  }
  return estimate;
}

const UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const TIMES = { s: 1, min: 60, h: 3600 };

/** `4GiB`, `500MB` in bytes. */
export function parseMemory(text: string): number {
  return quantity('--max-memory', text, UNITS, 'an amount of memory', '4GiB or 500MB');
}

/** `90s`, `10min`, `2h` in seconds. */
export function parseTime(text: string): number {
  return quantity('--max-time', text, TIMES, 'a time', '90s, 10min or 2h');
}

function quantity(
  field: string,
  text: string,
  units: Readonly<Record<string, number>>,
  expected: string,
  examples: string,
): number {
  const [, digits, unit = ''] = text.trim().match(/^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/) ?? [];
  const value = Object.hasOwn(units, unit) ? Number(digits) * units[unit] : Number.NaN;
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InputError({ field, expected, got: oneLine(show(text)), remedy: `write it as ${examples}` });
}

/** `1.2 GiB`. */
function memory(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  const name = [...names].reverse().find((unit) => bytes >= UNITS[unit]) ?? 'B';
  return `${num(bytes / UNITS[name], 3)} ${name}`;
}
