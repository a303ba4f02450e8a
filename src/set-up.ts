/** `setup`: what `npm run setup` does in a checkout, for those who have the package. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { made, project } from '../scripts/setup/places.mjs'
import { ProcessError } from './errors.ts'

/**
 * @returns the folder of the compiled add-on
 * @throws {ProcessError} it cannot go on; it has said what to do
 */
export async function setUp(): Promise<string> {
  const child = spawn(process.execPath, [join(project, 'scripts', 'setup.mjs')], { stdio: ['ignore', 2, 2] })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code === 0) return made
  throw new ProcessError(
    {
      where: 'setup',
      expected: 'a set-up that comes to its end',
      received: `exit code ${code}`,
      remedy: 'do what it says above and run the same command again',
    },
    code === 2 ? 2 : 1,
  )
}
