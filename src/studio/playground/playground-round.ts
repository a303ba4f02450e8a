/** The round of images that were kept in the playground, and their folder among the runs; no job may have its name. */
export const playgroundRound = 'playground'
