import { z } from 'zod';
import { InputError, show } from '../errors.js';
import { namingFile, oneLine, readText } from './atomic-file.js';

/** What a schema tells about a value that it refuses: what was expected (fits after "must be") and what to do. */
export function says(expected: string, remedy: string): { error: string } {
  return { error: `${expected}; ${remedy}` };
}

/** A JSON object with these keys and no others; a key that is not known is refused with the ones that are. */
export function exactObject<S extends z.ZodRawShape>(shape: S, expected: string, remedy: string) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? unknownKey(issue.keys[0], Object.keys(shape)).error
        : says(expected, remedy).error,
  });
}

/** A JSON number that satisfies `ok`. */
export function number(ok: (value: number) => boolean, expected: string, remedy: string) {
  // Aborting, so that among alternatives it counts as one that does not fit.
  return z.number(says(expected, remedy)).refine(ok, { ...says(expected, remedy), abort: true });
}

/** The `schemaVersion` of every file. Check it before the other keys, which another version may have changed. */
export const schemaVersion = z.literal(1, says('1', 'set it to 1, the only version that is read'));

/**
 * `input` as `schema` describes it. Throws one {@link InputError} for the first problem; `whole` names the input where
 * the problem is not in one of its fields.
 */
export function checked<T>(schema: z.ZodType<T>, input: unknown, whole: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const { issues } = result.error;
  const { path, message, key } = deepest(issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0]);
  const cut = message.indexOf('; ');
  throw new InputError({
    field: fieldName(key === undefined ? path : [...path, key]) || whole,
    expected: message.slice(0, cut),
    got: key === undefined ? oneLine(show(valueAt(input, path))) : 'an unknown key',
    remedy: message.slice(cut + 2),
  });
}

/** The content of a JSON file. Throws {@link InputError} where there is none, with the line and column of the break. */
export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch {
    return namingFile(path, () => {
      throw jsonProblem(text);
    });
  }
}

type Path = readonly PropertyKey[];

/** An issue's path and message; of an alternative that was recognised but is wrong inside, those of the inside. */
function deepest(issue: z.core.$ZodIssue, above: Path = []): { path: Path; message: string; key?: string } {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') return { path, message: issue.message, key: issue.keys[0] };
  if (issue.code === 'invalid_union') {
    for (const branch of issue.errors) {
      const inside =
        branch.find((one) => one.code === 'unrecognized_keys') ?? branch.find((one) => one.path.length > 0);
      if (inside !== undefined) return deepest(inside, path);
    }
  }
  return { path, message: issue.message };
}

/** `edges[3][1]`, `train.learningRate`; keys that are not plain words are quoted. */
function fieldName(path: Path): string {
  return path
    .map((part, k) => {
      if (typeof part === 'number') return `[${part}]`;
      const key = /^\w{1,60}$/.test(String(part)) ? String(part) : oneLine(show(String(part)));
      return k === 0 ? key : `.${key}`;
    })
    .join('');
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function unknownKey(key: string, known: readonly string[]): { error: string } {
  const near = known.find((name) => distance(plain(key), plain(name)) <= Math.min(2, Math.floor(name.length / 3)));
  const list = `known keys: ${known.join(', ')}`;
  return says('a known key', near === undefined ? `remove it (${list})` : `write ${near} instead (${list})`);
}

function plain(key: string): string {
  return key
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 60);
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

function jsonProblem(text: string): InputError {
  if (text.trim() === '') {
    return new InputError({
      field: 'the file',
      expected: 'JSON',
      got: 'an empty file',
      remedy: 'write a JSON object into it',
    });
  }
  const at = whereJsonBreaks(text);
  const before = text.slice(0, at).split(/\r\n|\r|\n/);
  const character = text.codePointAt(at);
  return new InputError({
    field: `line ${before.length}, column ${before[before.length - 1].length + 1}`,
    expected: 'valid JSON',
    got:
      character === undefined
        ? 'the end of the file'
        : `an unexpected ${oneLine(show(String.fromCodePoint(character)))}`,
    remedy: character === undefined ? 'close what is still open' : 'check the commas, quotes and brackets there',
  });
}

type Expecting = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/** Offset of the first token at which a text stops being JSON; its length where it ends too early. */
function whereJsonBreaks(text: string): number {
  const space = /[ \t\n\r]*/y;
  const token =
    /[{}[\],:]|"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;
  const open: string[] = [];
  let expecting: Expecting | null = 'value';
  for (;;) {
    space.exec(text);
    token.lastIndex = space.lastIndex;
    const found = token.exec(text)?.[0];
    expecting = found === undefined ? null : after(found, expecting, open);
    if (expecting === null) return space.lastIndex;
    space.lastIndex = token.lastIndex;
  }
}

/** What a JSON text expects after `token`, given what it expected before; null where `token` cannot stand there. */
function after(token: string, expecting: Expecting, open: string[]): Expecting | null {
  const inside = open.at(-1);
  const isKey = expecting === 'key' || expecting === 'key or }';
  if (token === ':') return expecting === ':' ? 'value' : null;
  if (token === ',') return expecting !== ', or end' || inside === undefined ? null : inside === '{' ? 'key' : 'value';
  if (token === '}' || token === ']') {
    const allowed = expecting === ', or end' || expecting.endsWith(` or ${token}`);
    return allowed && open.pop() === (token === '}' ? '{' : '[') ? ', or end' : null;
  }
  if (isKey) return token.startsWith('"') ? ':' : null;
  if (expecting === ':' || expecting === ', or end') return null;
  if (token !== '{' && token !== '[') return ', or end';
  open.push(token);
  return token === '{' ? 'key or }' : 'value or ]';
}
