import { whyCharsMax } from '@meterflow/registry';
import { z } from 'zod';

// What several routes ask for when they are told of a rule.

export const parameterValue = z.union([z.number(), z.string(), z.boolean()]);
export const name = z.object({ name: z.string().min(1).max(63) });
export const version = z.string().min(1).max(64).optional().describe('a number, or the beginning of an id');
/** Who asks, beside the name of the key, and why: both stand in the audit trail. */
export const told = {
  author: z.string().min(1).max(200).optional().describe('who asks, beside the key’s name'),
  why: z.string().max(whyCharsMax).default('').describe('kept in the audit trail'),
};
