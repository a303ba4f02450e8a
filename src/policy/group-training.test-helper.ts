/**
 * One process of a group that trains the toy as one: `node group-training.test-helper.ts folder stage [resume] [deed]`.
 * Before its fourth step the last process `dies`, or is asked to end: once (`ends`), or in a step that never ends (`hangs`).
 */
import { AttuneError } from '../errors.ts'
import { groupFromEnvironment } from '../place-in-group.ts'
import type { PolicyStage } from '../stages.ts'
import { joinGroup } from '../tensor/group.ts'
import { endInOrder } from '../tensor/orderly-end.ts'
import { trainToy } from './toy-training.test-helper.ts'

const [folder, stage, ...words] = process.argv.slice(2)
endInOrder()
try {
  using group = joinGroup(groupFromEnvironment(process.env))
  const onStep = (step: number) => {
    if (step !== 4 || group.rank < group.size - 1) return
    if (words.includes('dies')) process.kill(process.pid, 'SIGKILL')
    if (words.includes('ends') || words.includes('hangs')) process.kill(process.pid, 'SIGTERM')
    if (!words.includes('hangs')) return
    process.stderr.write('hangs\n')
    for (;;);
  }
  const settings = JSON.parse(process.env.SETTINGS ?? '{}') as Record<string, unknown>
  await trainToy(folder, { stage: stage as PolicyStage, resume: words.includes('resume'), settings, group, onStep })
  group.barrier()
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = error instanceof AttuneError ? error.exitCode : 1
}
