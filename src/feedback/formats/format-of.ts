import { basename, extname } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { formats, type FormatName } from './formats.ts'

/**
 * The format that only one of `names` writes with the ending of a file.
 *
 * @throws {ConfigError} none does, or several do
 */
export function formatOf<Name extends FormatName>(file: string, names: readonly Name[]): Name {
  const ending = extname(file).toLowerCase()
  const fitting = names.filter((name) => formats[name].ending === ending)
  if (fitting.length === 1) return fitting[0]
  const endings = [...new Set(names.map((name) => formats[name].ending))]
  throw new ConfigError({
    where: basename(file),
    expected: fitting.length > 1 ? `--format ${fitting.join(', ')}` : `a file named ${endings.join(', ')}`,
    received: fitting.length > 1 ? `a ${ending} file of an unknown format` : ending || 'no ending',
    remedy: fitting.length > 1 ? 'say which one it is' : 'rename it by its format, or name that with --format',
  })
}
