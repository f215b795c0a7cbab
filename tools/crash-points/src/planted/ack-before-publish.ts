import type { LeasedMessage, Publisher, Source, StagePorts } from '@meterflow/stage';
import type { PlantedBug } from '../planted-bug.ts';

/** What was leased is acked when its outcome is about to be published: a death in between loses it. */
export const ackBeforePublish: PlantedBug = {
  name: 'ack before publish',
  stagePorts: <Write>(ports: StagePorts<Write>): StagePorts<Write> => {
    const leased: (readonly LeasedMessage[])[] = [];
    const source: Source = {
      ...ports.source,
      receive: async (request) => {
        const messages = await ports.source.receive(request);
        if (messages.length > 0) {
          leased.push(messages);
        }
        return messages;
      },
    };
    const publisher: Publisher = {
      publish: async (messages) => {
        await ports.source.ack(leased.shift() ?? []);
        await ports.publisher.publish(messages);
      },
    };
    return { ...ports, source, publisher };
  },
};
