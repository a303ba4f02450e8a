/** One process of a group that trains the toy as one: `node group-training.test-helper.ts folder [resume] [dies]`. */
import { AttuneError } from '../errors.ts'
import { groupFromEnvironment } from '../place-in-group.ts'
import { joinGroup } from '../tensor/group.ts'
import { trainToy } from './toy-training.test-helper.ts'

const [folder, resume, dies] = process.argv.slice(2)
try {
  using group = joinGroup(groupFromEnvironment(process.env))
  const settings = { imagesDrawn: Number(process.env.IMAGES ?? 24), transitionsPerRollout: 3 }
  const onStep = (step: number) => {
    if (dies === 'dies' && group.rank === 1 && step === 4) process.kill(process.pid, 'SIGKILL')
  }
  await trainToy(folder, { resume: resume === 'resume', settings, group, onStep })
  group.barrier()
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = error instanceof AttuneError ? error.exitCode : 1
}
