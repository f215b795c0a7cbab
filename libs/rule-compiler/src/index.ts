export { entriesOf, isSource, isTestFile, type RuleProject } from './project.ts';
export {
  CompilerBusyError,
  RuleCompiler,
  type Compiled,
  type CompiledRule,
  type CompiledTests,
  type RuleCompilerPorts,
} from './rule-compiler.ts';
export { fileBytesMax, projectBytesMax, projectFilesMax } from './limits.ts';
export { sdkSource } from './sdk-source.ts';
export { placeOf, problemText, type SourceProblem } from './source-problem.ts';
