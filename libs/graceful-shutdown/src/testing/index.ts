export { ManualTimers } from './manual-timers.ts';
export { ScriptedProcess } from './scripted-process.ts';
export { describeDrain, type DrainableService } from './describe-drain.ts';
