import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';

/** `text` without line breaks and other control characters, so that a message that quotes it stays on one line. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');
}

/** Runs `body` and lets every {@link InputError} that it throws name the file at `path`. */
export function namingFile<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof InputError ? error.inFile(path === '' ? '""' : oneLine(path)) : error;
  }
}

/** The bytes of a file. Throws {@link InputError} where there is no file that can be read. */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = codeOf(error);
    return namingFile(path, () => {
      throw new InputError({
        field: 'the file',
        expected: 'a file that exists and can be read',
        got: READ_FAILURES[code] ?? code,
        remedy: 'check the path',
      });
    });
  }
}

/** The text of a UTF-8 file, without its byte order mark. Throws {@link InputError} for other encodings. */
export function readText(path: string): string {
  const bytes = readBytes(path);
  const refuse = (got: string): never =>
    namingFile(path, () => {
      throw new InputError({ field: 'the file', expected: 'UTF-8 text', got, remedy: 'save it as UTF-8 text' });
    });
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return refuse('UTF-16');
  if (bytes.includes(0)) return refuse('zero bytes, as in UTF-16 or binary files');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('bytes that are not UTF-8');
  }
}

/** Whether a name is that of a temporary file of {@link writeFileAtomic}. */
export function isTemporary(name: string): boolean {
  return /^\.htdml-[\da-f-]{36}\.tmp$/.test(name);
}

/**
 * Writes a whole file so that its path never holds a part of it: to a temporary file in the same folder, then renamed.
 * Throws {@link InputError} where the folder is missing or refuses, and leaves what stood there before.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  const temporary = join(dirname(path), `.htdml-${randomUUID()}.tmp`);
  try {
    const handle = openSync(temporary, 'wx');
    try {
      writeFileSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const got = WRITE_FAILURES[codeOf(error)];
    if (got === undefined) throw error;
    namingFile(path, () => {
      throw new InputError({
        field: 'the file',
        expected: 'a path that can be written',
        got,
        remedy: 'create the folder or choose another path',
      });
    });
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a path through something that is not a folder',
  EISDIR: 'a folder',
  EACCES: 'no permission to read',
  EPERM: 'no permission to read',
  ENAMETOOLONG: 'a name that is too long',
  ERR_FS_FILE_TOO_LARGE: 'a file of more than 2 GiB',
  ERR_INVALID_ARG_VALUE: 'a name with a zero byte',
};

const WRITE_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'a folder that does not exist',
  ENOTDIR: 'a path through something that is not a folder',
  EISDIR: 'a folder',
  EACCES: 'no permission to write',
  EPERM: 'no permission to write',
  EROFS: 'a read-only file system',
  ENAMETOOLONG: 'a name that is too long',
  ERR_INVALID_ARG_VALUE: 'a name with a zero byte',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
