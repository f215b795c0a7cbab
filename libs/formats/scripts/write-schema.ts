/*
 * Writes the JSON Schema of mappings, for editors:
 *
 *   node libs/formats/scripts/write-schema.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mappingJsonSchema } from '../src/index.ts';

const file = join(import.meta.dirname, '../mapping.schema.json');
writeFileSync(file, `${JSON.stringify(mappingJsonSchema(), undefined, 2)}\n`);
