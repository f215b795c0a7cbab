import { layers, tenantName, type Layer } from '@meterflow/readings';
import type { MessageFields } from './message-fields.ts';

/** Numbers on the wire; 0 is left for "not said". */
export function layerNumber(layer: Layer): number {
  return layers.indexOf(layer) + 1;
}

export function readLayer(fields: MessageFields, number: number): Layer {
  const layer = layers[fields.unsigned(number) - 1];
  if (layer === undefined) {
    throw fields.fail(number, 'message-value', `${fields.unsigned(number)} is not a layer`);
  }
  return layer;
}

const tenantBytesMax = 63;

export function readTenant(fields: MessageFields, number: number): string {
  const text = fields.text(number, tenantBytesMax);
  try {
    return tenantName(text);
  } catch (error) {
    throw fields.fail(number, 'message-value', (error as Error).message);
  }
}
