export { builtInMappings, defaultMapping, londonMapping } from './built-in-mappings.ts';
export { documentBytesMax, futureMsMax, lineBytesMax, probeBytesMax } from './limits.ts';
export { splitCsvLine } from './csv-line.ts';
export { mappingForHeader } from './mapping-for-header.ts';
export {
  deducesLengths,
  InvalidMappingError,
  mappingJsonSchema,
  mappingSchema,
  parseMapping,
  type Mapping,
  type MappingInput,
} from './mapping.ts';
export {
  createReader,
  formats,
  type Format,
  type Reader,
  type ReaderCounts,
  type ReaderOptions,
  type SeriesStand,
} from './reader.ts';
export { isLeftOut } from './sequence/left-out.ts';
export type { SeriesEnd } from './sequence/series-end.ts';
export { atOneGo, type Steps } from './steps.ts';
export { UnreadableSourceError } from './unreadable-source-error.ts';
export { unknownSeriesProblem } from './known-rows.ts';
