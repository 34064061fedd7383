import type * as FastCheck from 'fast-check';
import { HtdmlError } from 'htdml';

/**
 * fast-check, an optional peer dependency that only `htdml/proofs` needs: the rest of the package works without it. It is loaded here and nowhere else, so that
 * where it is missing the import of `htdml/proofs` fails with a sentence that says what to do. Types come from `import type`.
 */
export const fc: typeof FastCheck = await import('fast-check').catch((cause: NodeJS.ErrnoException) => {
  if (cause.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
  throw new HtdmlError(
    'HTDML_PEER',
    'htdml/proofs needs the peer dependency fast-check, which is not installed; run npm install --save-dev fast-check.',
    { cause },
  );
});
