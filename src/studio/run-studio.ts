/** `studio`: the whole loop in the browser. */
import { startTogether } from './processes/start-together.ts'
import { startStudio, StudioConfig } from './start-studio.ts'

const workspaceFlag = ({ workspace }: StudioConfig) =>
  workspace === StudioConfig.shape.workspace.parse(undefined) ? '' : ` --workspace ${workspace}`

/** Serves until the process is told to end. */
export async function runStudio(config: StudioConfig): Promise<string> {
  const running = await (config.processes === 1 ? startStudio(config) : startTogether(config))
  process.stderr.write(`studio: ${running.address}\n`)
  if (running.invitation !== null)
    process.stderr.write(
      `admin: ${running.invitation} (works once, for two days; a new one at any time: attune studio invite --admin${workspaceFlag(config)})\n`,
    )
  await new Promise<void>((ended) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended())
  })
  await running[Symbol.asyncDispose]()
  return config.workspace
}
