// The parts of the installed package that it does not export, for tests of one part alone.

export const inside = (name) => import(new URL(`node_modules/keyless-credentials/src/${name}`, import.meta.url).href);
