// The compiled inner loops. Everything works on memory that the caller lays out: tables, jobs and multivectors are addresses.
export { solve } from './solve';
