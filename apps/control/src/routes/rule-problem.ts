import { Problem } from '@meterflow/http';
import { CompilerBusyError, placeOf } from '@meterflow/rule-compiler';
import { TooManyVersionsError, UnknownActivationError, UnknownRuleError } from '@meterflow/registry';
import { RuleFailureError } from '@meterflow/rules';
import { BacktestBusyError } from '../backtest/backtest-desk.ts';
import { RefusedRuleError } from '../rule-desk.ts';

/** What a desk of rules refuses, as HTTP has it. */
export function asProblem(error: unknown): never {
  if (error instanceof RefusedRuleError) {
    const errors = error.problems.map((each) => ({ at: placeOf(each), problem: each.message }));
    const [first] = errors;
    const detail = first === undefined ? error.message : `${error.message}: ${first.at}: ${first.problem}`;
    throw new Problem('unprocessable-content', detail, { errors, cause: error });
  }
  if (error instanceof UnknownRuleError || error instanceof UnknownActivationError) {
    throw new Problem('not-found', error.message, { cause: error });
  }
  if (error instanceof TooManyVersionsError || error instanceof RuleFailureError) {
    throw new Problem('unprocessable-content', error.message, { cause: error });
  }
  if (error instanceof CompilerBusyError || error instanceof BacktestBusyError) {
    throw new Problem('overloaded', error.message, { retryAfterSeconds: 5, cause: error });
  }
  throw error;
}
