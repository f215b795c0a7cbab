export { readWhole, type ReadRow, type ReadSource } from './read-whole.ts';
