import type { OutgoingMessage } from '@meterflow/stage';
import { withPorts, type PlantedBug } from '../planted-bug.ts';

/** Days count as told before anybody was told: ended in between, nobody ever is. */
export const toldBeforePublished: PlantedBug = {
  name: 'days told before they are published',
  story: 'ruleLife',
  ports: (ports, stage) => {
    if (stage !== 'control') {
      return ports;
    }
    const { publisher, registry } = ports;
    let held: readonly OutgoingMessage[] = [];
    const publish = (messages: readonly OutgoingMessage[]): Promise<void> => {
      const isDue = messages.some(({ topic }) => topic.startsWith('days.due'));
      held = isDue ? [...held, ...messages] : held;
      return isDue ? Promise.resolve() : publisher.publish(messages);
    };
    const put: typeof registry.put = async (kind, name, entry) => {
      const revision = await registry.put(kind, name, entry);
      if (name.includes('/closed-days/') && held.length > 0) {
        await publisher.publish(held);
        held = [];
      }
      return revision;
    };
    return withPorts(ports, { publisher: { publish }, registry: withPorts(registry, { put }) });
  },
};
