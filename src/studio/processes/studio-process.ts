/** One of several processes of a studio, which `start-together.ts` starts. It ends when that one does, as cluster has it. */
import { once } from 'node:events'
import { ConfigError } from '../../errors.ts'
import { Closing } from '../closing.ts'
import { openStudio } from '../open-studio.ts'
import { studioApp } from '../server/app.ts'
import { listen, makeReady, optionsOf } from '../start-studio.ts'
import { takeLead } from './lead.ts'
import { answerPassedOn, passOn } from './pass-on.ts'
import type { Orders, Told } from './start-together.ts'

const tell = (told: Told) => process.send!(told)
const ending = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort())

const [{ config, gpus, folder }] = (await once(process, 'message')) as [Orders]
await using made = new Closing()
const studio = made.use(
  await openStudio(config.workspace, {
    ...optionsOf(config, gpus),
    follows: { passOn: (call, isLeader) => passOn(folder, call, isLeader) },
  }),
)
const app = studioApp(studio)
try {
  const { port } = made.use(await listen(app, config))
  void makeReady(studio)
  tell({ port })
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  const { code = '', message } = error.cause as NodeJS.ErrnoException
  tell({ code, message })
}
try {
  made.defer(await takeLead(studio.workspace, ending.signal))
  studio.lead()
  made.use(await answerPassedOn(app, folder))
  await once(ending.signal, 'abort')
} catch (error) {
  if (!ending.signal.aborted) throw error
}
await made[Symbol.asyncDispose]()
process.disconnect()
