// The compiled inner loops. Everything works on memory that the caller lays out: tables, jobs and multivectors are addresses.
export { apply, prepare } from './generator';
export { help, solve } from './threads';
