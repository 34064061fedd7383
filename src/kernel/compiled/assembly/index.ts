// The compiled inner loops. Everything works on memory that the caller lays out: tables, jobs and multivectors are addresses.
export { apply, prepare } from './generator';
export { help, runChains, solve } from './threads';
export { applyPair, preparePairs } from './pair-generator';
export { addPairs, centrePair, chebyshevStep, clearPair, copyPair, gramPairs } from './pair-vectors';
export { philox, philoxEight, spreadKey } from './philox';
