/** How often a training looks at its probe images, and at how many: by what that costs of the run. */

/** A plan of looks. */
export interface LookPlan {
  /** Steps between looks; the last step has one as well. */
  readonly every: number
  /** Looks in all, the one before the first step left out. */
  readonly looks: number
  /** Prompts of the probes, at most, and images at a look, at least; of the base twice as many. */
  readonly prompts: number
  readonly images: number
}

/** In passes of one row through the denoiser; a pass with gradients counts three times. */
interface Cost {
  /** Of the training as a whole. */
  readonly training: number
  /** Of drawing one image. */
  readonly image: number
}

/** Of the training, what looks may cost where nobody asked for them. */
export const affordableShare = 0.05
/** More looks find no more. */
const mostLooks = 20
/** How many looks there are at least where they were asked for, and where their number of steps was not said. */
const askedLooks = 10
/** Images at a look, and how many looks these need to be worth drawing. */
const sizes = [
  { prompts: 16, images: 32, leastLooks: 4 },
  { prompts: 8, images: 16, leastLooks: 2 },
] as const

/**
 * @param total   steps of the training
 * @param every   steps between looks as its user wants them; null leaves it to the cost
 * @param isAsked whether somebody counts on them, whatever they cost
 * @param cost    undefined where the method does not tell it: then there are none that nobody asked for
 * @returns       undefined for no looks
 */
export function planLooks(
  total: number,
  { every, isAsked }: { readonly every: number | null; readonly isAsked: boolean },
  cost: Cost | undefined,
): LookPlan | undefined {
  const planned = (looks: number, { prompts, images }: (typeof sizes)[number]): LookPlan => {
    const between = Math.ceil(total / looks)
    return { every: between, looks: Math.ceil(total / between), prompts, images }
  }
  const [usual] = sizes
  if (every === 0) return undefined
  if (every !== null) return { ...planned(1, usual), every, looks: Math.ceil(total / every) }
  if (isAsked) return planned(Math.min(askedLooks, total), usual)
  if (cost === undefined) return undefined
  const affordable = (affordableShare * cost.training) / cost.image
  for (const size of sizes) {
    const looks = Math.min(mostLooks, total, Math.floor((affordable - 2 * size.images) / size.images))
    if (looks >= size.leastLooks) return planned(looks, size)
  }
  return undefined
}
