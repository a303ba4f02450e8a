/** From config schemas to commands: flags, `--help`, `--config`, and what a process ends with. */
import type { Command } from 'commander'
import { CommanderError, Option } from 'commander'
import { z } from 'zod'
import { flagsOf, parseConfig } from './config.ts'
import type { Flag, StageSchema } from './config.ts'
import { AttuneError, ConfigError, type ExitCode } from './errors.ts'
import { writing } from './files.ts'
import { worksForAnother } from './parent-watch.ts'
import { tellHowToResume } from './resume-hint.ts'
import { insteadOf } from './foreign-flags.ts'

/**
 * Adds the command of one stage. A name of two words (`reward train`) is a verb of a group, which is made where needed.
 *
 * @param schema one flag per field; see `config.ts`
 * @param action receives the checked config
 * @param positional fields that may also be given without their flags, as bare words in this order
 */
export function stageCommand<S extends StageSchema>(
  program: Command,
  name: string,
  description: string,
  schema: S,
  action: (config: z.output<S>) => Promise<void> | void,
  positional: readonly (keyof z.output<S> & string)[] = [],
): Command {
  const words = name.split(' ')
  const verb = words.pop() ?? name
  let parent = program
  for (const word of words) {
    parent = parent.commands.find((command) => command.name() === word) ?? parent.command(word)
  }
  // A command and its verb may have a flag of one name: after the verb it is the verb's.
  program.enablePositionalOptions()
  parent.enablePositionalOptions()
  const command = parent.command(verb).description(description).allowExcessArguments(false)
  const flags = flagsOf(schema)
  const isKnown = (word: string) => command.options.some(({ long }) => long === word)
  for (const flag of flags) for (const option of optionsOf(flag, isKnown)) command.addOption(option)
  command.option('--config <file>', 'JSON file with settings, such as the config.json of a run; flags override it.')
  for (const field of positional) command.argument(`[${field}]`)
  return command.action(async () => {
    const { config: file, ...options } = command.opts<Record<string, unknown>>()
    const words = Object.fromEntries(command.args.map((word, place) => [positional[place], word]))
    const given = { ...words, ...options }
    const config = parseConfig(schema, { stage: name, file: file as string | undefined, flags: given })
    // What the studio or a demo has started is resumed by them.
    const isByHand = process.env.ATTUNE_LOG_EVERY_MS === undefined && !worksForAnother()
    if (isByHand && typeof config.out === 'string' && 'resume' in config)
      tellHowToResume(config.out, process.argv.slice(2))
    await action(config)
  })
}

/** @param isKnown whether a word is a flag of the command: then the value before it was forgotten */
function optionsOf(flag: Flag, isKnown: (word: string) => boolean): Option[] {
  const described = `${flag.sentence}${flag.default === undefined || flag.default === null ? '' : ` (default: ${shown(flag.default)})`}`
  if (flag.type !== 'boolean') {
    const word = flag.expected.startsWith('one of') ? flag.expected.slice(7).replaceAll(' ', '') : flag.type
    const option = new Option(`${flag.flag} <${flag.repeatable ? 'text' : word}>`, described)
    return [
      option.argParser<string | string[]>((text, before) => {
        if (isKnown(text)) throw withoutValue(flag.flag, text)
        return flag.repeatable ? [...(Array.isArray(before) ? before : []), text] : text
      }),
    ]
  }
  const negative = flag.flag.replace('--', '--no-')
  const on = new Option(flag.flag, described)
  const off = new Option(negative, `Turns off: ${described}`)
  return [on.hideHelp(flag.default === true), off.hideHelp(flag.default !== true)]
}

const withoutValue = (flag: string, next: string) =>
  new ConfigError({
    where: flag,
    expected: 'a value',
    received: `nothing before ${next}`,
    remedy: 'write the value behind it',
  })

const shown = (value: unknown) =>
  typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : JSON.stringify(value)

/**
 * Runs a program to its end: 0 done, else what the error says. An error is one line on stderr; ATTUNE_DEBUG=1 adds the stack.
 *
 * @param argv without the interpreter and the script
 */
export async function main(program: Command, argv: readonly string[] = process.argv.slice(2)): Promise<0 | ExitCode> {
  prepare(program)
  try {
    await program.parseAsync(withDashes(argv), { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // A command that only groups others shows its help, to stderr, when it is called alone.
    if (error instanceof CommanderError && error.code === 'commander.help') return 2
    const told = explain(error)
    const line =
      told instanceof AttuneError
        ? told.message
        : `internal error: ${told instanceof Error ? told.message : String(told)}`
    process.stderr.write(`${line}\n`)
    if (process.env.ATTUNE_DEBUG === '1') process.stderr.write(`${told instanceof Error ? told.stack : String(told)}\n`)
    else if (!(told instanceof AttuneError))
      process.stderr.write('Please report this; ATTUNE_DEBUG=1 shows where it happened.\n')
    return told instanceof AttuneError ? told.exitCode : 1
  }
}

/** Errors are thrown, not printed, by every command, however it was added. */
function prepare(command: Command): void {
  command.configureOutput({ outputError: () => undefined }).exitOverride((error) => {
    throw error.exitCode === 0 || error.code === 'commander.help' ? error : fromCommander(error, command)
  })
  for (const inner of command.commands) prepare(inner)
}

/** `--kl_weight=1` → `--kl-weight=1`: flags are known under either spelling. */
function withDashes(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((word, index) =>
    end >= 0 && index >= end ? word : word.replace(/^--[^=]*/, (name) => name.replaceAll('_', '-')),
  )
}

function explain(error: unknown): unknown {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    const where = issue.path.join('.') || 'input'
    return new ConfigError({
      where,
      expected: 'a valid value',
      received: issue.message,
      remedy: 'mend the input',
      cause: error,
    })
  }
  const { syscall, path, code } = error as Partial<NodeJS.ErrnoException>
  if (!(error instanceof AttuneError) && code !== undefined && syscall !== undefined) {
    try {
      writing(path ?? syscall, () => {
        throw error
      })
    } catch (told) {
      return told
    }
  }
  return error
}

function fromCommander(error: CommanderError, command: Command): ConfigError {
  const [first, hint = ''] = error.message.replace(/^error: /, '').split('\n')
  const received = /'([^']*)'/.exec(first)?.[1] ?? first
  const meant = /Did you mean (.*)\?\)/.exec(hint)?.[1]
  const remedy = meant === undefined ? 'see --help' : `did you mean ${meant}?`
  switch (error.code) {
    case 'commander.unknownOption': {
      const known = command.options.flatMap(({ long }) => long ?? [])
      const foreign = insteadOf(received, known)
      return new ConfigError({
        where: 'command line',
        expected: 'a known flag',
        received,
        remedy: foreign ?? (meant === undefined ? `see attune ${stageOf(command)} --help`.replace('  ', ' ') : remedy),
      })
    }
    case 'commander.unknownCommand':
      return new ConfigError({ where: 'command line', expected: 'a known command', received, remedy })
    case 'commander.optionMissingArgument':
      return new ConfigError({ where: received.split(' ')[0], expected: 'a value', received: 'nothing', remedy })
    default:
      return new ConfigError({ where: 'command line', expected: 'a command and its flags', received: first, remedy })
  }
}

/** `images generate` */
function stageOf(command: Command): string {
  return command.parent === null ? '' : `${stageOf(command.parent)} ${command.name()}`.trim()
}
