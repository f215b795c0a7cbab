const head = "import { defineRule } from '@meterflow/rule-sdk';\nexport default defineRule((() => {\n";
const tail = '\n})());\n';

/** Lines of {@link bundledSource} before those of the body. */
export const bundledLinesBefore = 2;

/** The source of a rule version from a bundle: the body of a function that returns what the rule's file exports. */
export function bundledSource(body: string): string {
  return head + body + tail;
}
