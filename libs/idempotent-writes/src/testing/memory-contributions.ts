import { compareBytes } from '../judge-sheet.ts';
import type { ContributionStore, NodeDay, StoredContribution } from '../contribution-store.ts';

/** Contributions in memory. */
export class MemoryContributions implements ContributionStore {
  readonly #nodes = new Map<string, Map<string, StoredContribution>>();

  write: ContributionStore['write'] = (writes) => {
    for (const { tenant, ticket, cells } of writes) {
      for (const { node, day, child, content } of cells) {
        const path = pathOf({ tenant, node, day });
        const children = this.#nodes.get(path) ?? new Map<string, StoredContribution>();
        this.#nodes.set(path, children);
        const name = `${child.meter}\n${child.channel}`;
        const before = children.get(name);
        const later = before === undefined ? 1 : ticket - before.ticket || compareBytes(content, before.content);
        if (later > 0) {
          children.set(name, { child, ticket, content: content.slice() });
        }
      }
    }
    return Promise.resolve();
  };

  read: ContributionStore['read'] = (node) => Promise.resolve([...(this.#nodes.get(pathOf(node))?.values() ?? [])]);
}

function pathOf({ tenant, node, day }: NodeDay): string {
  return `${tenant}\n${node.meter}\n${node.channel}\n${day}`;
}
