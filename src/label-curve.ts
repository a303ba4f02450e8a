/**
 * What labels buy, as measured on the embedded world: AUC on prompts that nobody labelled, mean of five seeds, of rewards from
 * so many labels good or bad, of which 5 % are wrong (docs/benchmarks.md, "What labels buy").
 */
export const labelCurve: readonly { readonly labels: number; readonly auc: number }[] = [
  { labels: 30, auc: 0.766 },
  { labels: 60, auc: 0.766 },
  { labels: 120, auc: 0.766 },
  { labels: 180, auc: 0.766 },
  { labels: 360, auc: 0.784 },
  { labels: 720, auc: 0.854 },
  { labels: 1440, auc: 0.931 },
  { labels: 2400, auc: 0.942 },
]

/** Of the CLIP score on the same images, which takes no label. */
export const clipScoreAuc = 0.766

/** A smaller lead is none that a person would see. */
const leastLead = 0.01

/** The first number of labels after which the reward was ahead of the CLIP score. */
export const firstAhead = labelCurve.find(({ auc }) => auc - clipScoreAuc >= leastLead)!.labels

/** How many more it takes from `had` labels until a reward is mostly ahead of the CLIP score; none where it is by then. */
export const labelsUntilAhead = (had: number): number => Math.max(0, firstAhead - had)
