import { createHash } from 'node:crypto';
import { stripTypeScriptTypes } from 'node:module';
import { RuleFailureError, ruleContract, type RuleVersion } from '@meterflow/rules';
import { sourceCharsMax } from './limits.ts';
import { ruleBody, RuleSourceError } from './rule-source.ts';

/**
 * Makes a rule version of a customer's TypeScript (or JavaScript) file; the rule is called as the file without its ending. Throws {@link RuleFailureError} `rule-invalid`
 * naming file, line and column. What only a run can show (parameters that don't fit) shows when it is first loaded.
 */
export function compileRule(source: string, name: string): RuleVersion {
  if (source.length > sourceCharsMax) {
    throw new RuleFailureError('rule-invalid', `${name} is longer than ${sourceCharsMax} characters`);
  }
  try {
    const javaScript = withoutTypes(source);
    ruleBody(javaScript);
    return ruleVersion(javaScript, name.replace(/\.[jt]s$/, ''));
  } catch (error) {
    throw new RuleFailureError('rule-invalid', `${name}${problem(error)}`, { cause: error });
  }
}

/** A version of JavaScript that is a rule's source already. Its id is the SHA-256 of the source. */
export function ruleVersion(source: string, name: string): RuleVersion {
  const id = createHash('sha256').update(source).digest('hex');
  return { id, name, contract: ruleContract, source };
}

/** Types are blanked in place, so that lines and columns stay. Node says on every first use that this is experimental. */
function withoutTypes(source: string): string {
  const emitWarning = Reflect.get(process, 'emitWarning') as (...warning: unknown[]) => void;
  process.emitWarning = (warning: unknown, ...rest: unknown[]) => {
    if (!String(warning).includes('stripTypeScriptTypes')) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  };
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function problem(error: unknown): string {
  if (error instanceof RuleSourceError) {
    return `:${error.line}:${error.column}: ${error.message}`;
  }
  return `: ${error instanceof Error ? error.message : String(error)}`;
}
