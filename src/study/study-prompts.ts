/** The prompt files of a study: which prompts policies are trained on, and which they are measured on. */
import { join } from 'node:path'
import { mean } from 'simple-statistics'
import { hashOfJson } from '../content-hash.ts'
import { writePrompts } from '../prompts/prompt-file.ts'
import { categories, type Prompt } from '../records.ts'
import { captionFaults, colorShare } from '../shapes/captions.ts'
import { allPrompts, seenPrompts, unseenPrompts } from '../shapes/split.ts'
import type { Source } from './steps.ts'
import type { StudyPrompts, StudySize } from './study.ts'

/** Every so many of the seen prompts is held out from fine-tuning while coefficients are chosen. */
const heldOutEvery = 5

/** The prompts of figures, and those of the choice of coefficients. */
export async function writeStudyPrompts(
  out: string,
  { promptStride }: StudySize,
): Promise<{ figures: StudyPrompts; tuning: StudyPrompts }> {
  const write = async (name: string, prompts: readonly Prompt[]): Promise<Source> => {
    const path = join(out, `${name}.jsonl`)
    await writePrompts(path, prompts)
    return { key: hashOfJson(prompts), path }
  }
  const single = async (prompt: Prompt) => ({ ...prompt, ...(await write(`one-${prompt.category}`, [prompt])) })
  const some = (prompts: readonly Prompt[]) => prompts.filter((_, i) => i % promptStride === 0)
  const all = some(seenPrompts())
  const trained = all.filter((_, i) => i % heldOutEvery !== 0)
  const heldOut = all.filter((_, i) => i % heldOutEvery === 0)
  const half = Math.ceil(heldOut.length / 2)
  const seen = await write('seen', all)
  const others = unseenPrompts()
  const allBut = (name: string, heldBack: readonly Prompt[]) => {
    const ids = new Set([...others, ...heldBack].map(({ id }) => id))
    return write(name, some(allPrompts().filter(({ id }) => !ids.has(id))))
  }
  const singles = categories.flatMap((category) => all.find((prompt) => prompt.category === category) ?? [])
  const groups = await writeGroups(all, write)
  const common = { labelled: seen, singles: await Promise.all(singles.map((one) => single(one))), ...groups }
  return {
    figures: {
      ...common,
      trained: seen,
      trainedCount: all.length,
      many: await allBut('many', []),
      seen,
      unseen: await write('unseen', some(others)),
    },
    tuning: {
      ...common,
      trained: await write('trained', trained),
      trainedCount: trained.length,
      many: await allBut('many-tuning', heldOut),
      seen: await write('held-out-a', heldOut.slice(0, half)),
      unseen: await write('held-out-b', heldOut.slice(half)),
    },
  }
}

/** The prompts by what pre-training captions were like. Those that no caption states are in no quarter. */
async function writeGroups(
  prompts: readonly Prompt[],
  write: (name: string, prompts: readonly Prompt[]) => Promise<Source>,
): Promise<Pick<StudyPrompts, 'faults' | 'colors'>> {
  const known = prompts
    .flatMap((prompt) => {
      const wrong = captionFaults(prompt.attributes!)?.wrong
      return wrong === undefined ? [] : [{ prompt, wrong }]
    })
    .sort((one, other) => one.wrong - other.wrong)
  const ofQuarter = (quarter: number) =>
    known.slice(Math.round((known.length * quarter) / 4), Math.round((known.length * (quarter + 1)) / 4))
  const colored = prompts
    .flatMap((prompt) => {
      const { object, color } = prompt.attributes!
      return color === undefined ? [] : [{ prompt, share: colorShare(object!, color) }]
    })
    .sort((one, other) => other.share - one.share)
  const half = Math.ceil(colored.length / 2)
  const writeAll = (name: string, of: readonly { readonly prompt: Prompt }[]) => write(name, of.map(({ prompt }) => prompt)) // prettier-ignore
  return {
    faults: await Promise.all(
      [0, 1, 2, 3].map(async (quarter) => {
        const of = ofQuarter(quarter)
        return { ...(await writeAll(`quarter-${quarter + 1}`, of)), wrong: mean(of.map(({ wrong }) => wrong)) }
      }),
    ),
    colors: {
      common: await writeAll('common', colored.slice(0, half)),
      rare: await writeAll('rare', colored.slice(half)),
    },
  }
}
