export {
  Lifecycle,
  lifecycleStates,
  type Close,
  type DrainRequest,
  type Ending,
  type LifecycleLog,
  type LifecycleState,
  type Timers,
} from './lifecycle.ts';
export { nodeProcess, nodeTimers } from './node-process.ts';
export {
  exitCodes,
  orphanDrainMsDefault,
  signalEchoMs,
  stopWithProcess,
  type ProcessPort,
  type ProcessSignal,
  type StopOptions,
} from './stop-with-process.ts';
