import type { AttackReport } from './attack.ts';
import type { SiegeReport } from './siege.ts';

export const head = 'attack                              slowest ms   MiB   what became of it, and of the others';

export function line({ name, fates, hurt, slowestMs, residentMiB }: AttackReport): string {
  const told = [...fates].map(([fate, count]) => `${count} × ${fate}`).join(', ');
  const others = hurt.length === 0 ? 'nobody hurt' : `HURT: ${hurt.slice(0, 3).join('; ')}`;
  const numbers = `${Math.round(slowestMs)}`.padStart(11) + `${residentMiB}`.padStart(7);
  return `${name.padEnd(35)}${numbers}   ${told}; ${others}`;
}

export function summary({ attacks, calmMs, respawnMs, respawnMsMax, childrenLeft }: SiegeReport): string {
  const failed = attacks.filter(({ hurt }) => hurt.length > 0);
  const slowest = Math.max(0, ...attacks.map(({ slowestMs }) => slowestMs));
  return [
    `${attacks.length} attacks, ${failed.length} of them hurt somebody; ${childrenLeft} processes left at the end`,
    `the slowest honest tenant waited ${Math.round(slowest)} ms`,
    `(a calm round of all of them takes ${Math.round(calmMs)} ms, one in which their child is killed from outside ${Math.round(respawnMs)} to ${Math.round(respawnMsMax)} ms)`,
  ].join('\n');
}
