/** Files of one project, and bytes of one of them and of all together. */
export const projectFilesMax = 200;
export const fileBytesMax = 256 * 1024;
export const projectBytesMax = 512 * 1024;
/** Wall time of one compilation, the start of its process included. Honest projects take a second. */
export const compileMsMax = 30_000;
/** Heap of the process that compiles, in MiB. */
export const compileHeapMiBMax = 512;
/** Resident memory of it: what lies outside of the heap counts as well. */
export const compileResidentBytesMax = 1024 * 1024 * 1024;
/** Compilations that may wait for their turn: they are run one after the other. */
export const compilationsWaitingMax = 16;
/** Problems told of one project, and characters of each. */
export const problemsMax = 20;
export const problemCharsMax = 600;
/** What a compilation may answer. */
export const answerBytesMax = 16 * 1024 * 1024;
