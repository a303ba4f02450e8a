/** Where the browser of the tests is. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** What a suite says that is skipped. */
export const noChromium =
  'Chromium is not installed (Debian: apt-get install chromium; elsewhere CHROMIUM=/its/program)'

/** @returns the program that CHROMIUM names, else Chromium or Chrome on the path; undefined where there is none */
export function chromiumPath(): string | undefined {
  const { CHROMIUM: named, PATH: path = '' } = process.env
  const names = named === undefined || named === '' ? ['chromium', 'google-chrome'] : [named]
  return names
    .flatMap((name) => (isAbsolute(name) ? [name] : path.split(delimiter).map((folder) => join(folder, name))))
    .find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
