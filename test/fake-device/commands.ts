/**
 * Runs commands of the program one after the other in one process, as a program that pays for its start once:
 * `node commands.ts '["images generate …", …]'`. Ends with the first exit code that is not 0.
 */
import { fileURLToPath } from 'node:url'

const cli = new URL('../../src/cli.ts', import.meta.url)
const commands = JSON.parse(process.argv[2]) as readonly string[]
for (const [place, command] of commands.entries()) {
  process.argv = [process.execPath, fileURLToPath(cli), ...command.split(' ')]
  process.stderr.write(`attune ${command}\n`)
  await import(`${cli.href}?command=${place}`)
  if (process.exitCode !== 0) break
}
