/** The one lane that the proof runs in: lanes are the same stages once more. */
export const lane = 'live';
