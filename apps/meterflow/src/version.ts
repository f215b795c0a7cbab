/** Of the command; that of package.json, which a bundle does not have beside it. */
export const version = '0.0.0';
