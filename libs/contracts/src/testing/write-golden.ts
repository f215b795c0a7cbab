import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contractsFolder, runBuf } from './buf.ts';
import { goldenMessages } from './golden-messages.ts';

/** Writes the golden files anew. Only for new messages: bytes that changed are a format that changed. */
for (const { name, kind, payload } of goldenMessages()) {
  const file = join(contractsFolder, 'golden', name);
  writeFileSync(`${file}.bin`, payload);
  const json = runBuf(['convert', 'proto', `--type=meterflow.v1.${kind.name}`, '--from=-#format=binpb'], payload);
  writeFileSync(`${file}.json`, `${JSON.stringify(JSON.parse(json.toString()), null, 2)}\n`);
}
