import type { RuleFailureCode } from '@meterflow/rules';
import type { ChildEnd } from './sandbox-child.ts';
import { exitCode } from './child-settings.ts';

/** How V8 and the allocator end a process that is out of memory or broken, as signals and as exit codes of a shell. */
const crashes: readonly unknown[] = ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 132, 133, 134, 139];

/** What the end of a child that ran one batch alone says about the rule; undefined where anyone may have killed it. */
export function verdictOn(end: ChildEnd): { readonly code: RuleFailureCode; readonly detail: string } | undefined {
  if (end.reason === 'timed-out' || end.exitCode === exitCode.backstop) {
    return { code: 'rule-timed-out', detail: 'it took more time than one batch may take' };
  }
  if (end.reason === 'out-of-memory' || end.exitCode === exitCode.isolateOutOfMemory) {
    return { code: 'rule-killed-its-host', detail: 'it used more memory than it may' };
  }
  if (end.reason === 'broken' || crashes.includes(end.signal) || crashes.includes(end.exitCode)) {
    return { code: 'rule-killed-its-host', detail: 'it crashed its host' };
  }
  return undefined;
}
