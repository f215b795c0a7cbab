export { runService, type ServiceOptions, type StageRun } from './run-service.ts';
