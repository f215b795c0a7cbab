import { isIdentifier } from '@meterflow/readings';
import { z } from 'zod';

/** `group:NAME` is the meter of a group's aggregates, and must be one. */
export const groupNameCharsMax = 57;

export const groupNameSchema = z
  .string()
  .max(groupNameCharsMax)
  .refine(isIdentifier, `not a name of a group: 1 to ${groupNameCharsMax} printable characters`);
