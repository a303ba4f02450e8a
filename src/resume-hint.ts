/** What to type after a stage was ended from outside, by Ctrl-C for one: said by a process that stays for this alone. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { configName } from './run-folder.ts'

/** Waits for the end of its input, deaf to what ends the stage, and looks whether the folder was left unfinished. */
const script = `
trap '' INT TERM HUP
read -r _
if [ -f "$1/config.json" ] && [ ! -f "$1/manifest.json" ]; then printf 'stopped; to go on: %s\\n' "$2" >&2; fi`

/**
 * From now on an end of this process that it does not survive, such as Ctrl-C or a lack of memory, is followed by the
 * command that goes on with its run. The stage itself could not say so: while it computes it hears of no signal.
 *
 * @param folder the run folder that it writes
 * @param words  the command line without the interpreter and the script
 */
export function tellHowToResume(folder: string, words: readonly string[]): void {
  const command = ['attune', ...words, ...(words.includes('--resume') ? [] : ['--resume'])].map(quoted).join(' ')
  const stays = spawn('/bin/sh', ['-c', script, 'attune', folder, command], { stdio: ['pipe', 'ignore', 'inherit'] })
  stays.on('error', () => undefined)
  stays.unref()
  // A process that comes to its end by itself has said what there is to say.
  process.on('exit', () => stays.kill('SIGKILL'))
}

/** A word as a shell reads it. */
export const quoted = (word: string) => (/^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/** What goes on with an unfinished run, with other settings of these. @param settings flags with their values */
export const resumeCommand = (stage: string, folder: string, settings: string): string =>
  `attune ${stage} --config ${quoted(join(folder, configName))} ${settings} --resume --out ${quoted(folder)}`
