/** The first and the last instant that a date can name: no span is open in JSON. */
export const instantMsMax = 8.64e15;
