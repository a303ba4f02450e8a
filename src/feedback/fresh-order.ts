/** In which order images that nobody has judged are asked about. */
import { seedOf } from '../random.ts'
import type { QueueState } from './queue.ts'
import type { TaskSource } from './task-sources.ts'

interface PromptState {
  readonly text: string
  readonly category: { judged: number; images: number }
  /** Images that were judged, or are on their way to the rater. */
  judged: number
  /** Breaks ties; another one for every rater, so that raters at the same time are asked different things. */
  readonly lot: number
}

/**
 * Which prompt comes next. Prompts with the fewest judged images come first, and of these the ones whose category has the
 * smallest judged share. Where a reward says how uncertain it is, that holds up to one task for every prompt; after that
 * those prompts come first of whose open images it is least certain.
 *
 * The images of a prompt are put in order too: the least certain first, without a reward by lot.
 *
 * @returns `next` gives the prompt, undefined where nothing is left; `cover` is told what is on its way
 */
export function freshOrder(
  { images, uncertainties }: QueueState,
  { judged, fresh, size }: TaskSource,
  raterSeed: number,
): { next: () => string | undefined; cover: (ids: readonly string[]) => void } {
  const categories = new Map<string, PromptState['category']>()
  const prompts = new Map<string, PromptState>()
  const promptOf = new Map<string, PromptState>()
  for (const { id, text, category: name } of images) {
    const category = categories.get(name) ?? { judged: 0, images: 0 }
    categories.set(name, category)
    const prompt = prompts.get(text) ?? { text, category, judged: 0, lot: seedOf(raterSeed, prompts.size) }
    prompts.set(text, prompt)
    promptOf.set(id, prompt)
    category.images++
    if (!judged.has(id)) continue
    category.judged++
    prompt.judged++
  }
  const uncertaintyOf = (id: string) => uncertainties?.get(id) ?? Infinity
  const lotOf = (id: string) => seedOf(raterSeed, Number.parseInt(id.slice(0, 12), 16))
  for (const ids of fresh.values()) {
    const lots = new Map(ids.map((id) => [id, lotOf(id)]))
    ids.sort((a, b) => order(uncertaintyOf(b), uncertaintyOf(a)) || order(lots.get(a)!, lots.get(b)!))
  }
  const measured = uncertainties !== undefined && uncertainties.size > 0

  /** Smaller comes first. */
  function keyOf(prompt: PromptState): number[] {
    const share = prompt.category.judged / prompt.category.images
    if (!measured || prompt.judged < size) return [prompt.judged, share, prompt.lot]
    const next = (fresh.get(prompt.text) ?? []).slice(0, size)
    return [size, -next.reduce((sum, id) => sum + uncertaintyOf(id), 0) / next.length, share, prompt.lot]
  }

  return {
    next() {
      let best: { text: string; key: number[] } | undefined
      for (const text of fresh.keys()) {
        const key = keyOf(prompts.get(text)!)
        if (best === undefined || orderOfLists(key, best.key) < 0) best = { text, key }
      }
      return best?.text
    },
    cover(ids) {
      for (const id of ids) {
        if (judged.has(id)) continue
        const prompt = promptOf.get(id)!
        prompt.judged++
        prompt.category.judged++
      }
    },
  }
}

const order = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

function orderOfLists(a: readonly number[], b: readonly number[]): number {
  for (const [place, value] of a.entries()) {
    const result = order(value, b[place] ?? 0)
    if (result !== 0) return result
  }
  return 0
}
