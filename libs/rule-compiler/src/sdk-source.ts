import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The SDK's one file, which rules are checked against: of the package, or beside a bundle. */
export function sdkSource(): string {
  const beside = join(import.meta.dirname, 'rule-sdk.ts');
  const path = existsSync(beside) ? beside : createRequire(import.meta.url).resolve('@meterflow/rule-sdk');
  return readFileSync(path, 'utf8');
}
